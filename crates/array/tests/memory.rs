//! The limit on memory. A process has one, so this test is alone in its process.

use pullback_array::{Array, DType, file, memory, random::Generator};

#[test]
fn what_would_pass_the_limit_is_refused() {
    assert_eq!((memory::live(), memory::limit()), (0, usize::MAX));
    let matrix = Array::ones(&[256, 256], DType::F64).expect("half a mebibyte");
    assert_eq!(memory::live(), 512 * 1024);
    // Views and clones hold nothing of their own.
    let view = matrix.permute(&[1, 0]).and_then(|a| a.broadcast_to(&[1000, 256, 256])).expect("a view");
    assert_eq!((memory::live(), view.nbytes()), (512 * 1024, 1000 * 512 * 1024));

    memory::set_limit(1024 * 1024);
    let message = "out of memory: 500 MiB beside the 512 KiB in use would pass the limit of 1 MiB";
    let jacobian = [0u32, 1, 2, 3];
    let sizes: Vec<(u32, usize)> = jacobian.iter().map(|&label| (label, 256)).collect();
    let zeros =
        file::npy_bytes(&Array::zeros(&[64, 1024], DType::F64).expect("it just fits")).expect("bytes");
    assert_eq!(memory::live(), 512 * 1024);
    let refused = [
        (view.map(|v| v + 1.0, |v| v + 1.0).map(|a| a.shape().to_vec()), None),
        (view.reshape(&[256, 256_000]).map(|a| a.shape().to_vec()), Some(message)),
        (
            Array::contract(1.0, &[(&matrix, &[0, 1]), (&matrix, &[2, 3])], &jacobian, &sizes)
                .map(|a| a.shape().to_vec()),
            Some("out of memory: 32 GiB beside the 512 KiB in use would pass the limit of 1 MiB"),
        ),
        (
            Generator::new(0).randn(&[65_537], DType::F64).map(|a| a.shape().to_vec()),
            Some("out of memory: 512 KiB beside the 512 KiB in use would pass the limit of 1 MiB"),
        ),
    ];
    for (result, message) in refused {
        match message {
            // A repeated matrix is mapped once: half a mebibyte, which fits.
            None => assert_eq!(result.expect("it fits"), [1000, 256, 256]),
            Some(message) => {
                let error = result.expect_err(message);
                assert_eq!((error.message(), error.hint()), (message, Some("--memory sets the limit")));
                assert!(error.is_memory());
            }
        }
    }
    let read = file::read_npy(&zeros).expect("it fits");
    assert!(file::read_npy(&zeros).expect_err("no more").is_memory());
    drop((read, view, matrix));
    assert_eq!(memory::live(), 0);
    memory::set_limit(usize::MAX);
    let error = Array::zeros(&[1 << 45, 1 << 14], DType::F64).expect_err("4 EiB");
    assert!(error.is_memory(), "{error}");
}
