//! Files that NumPy wrote, files that lie, and files that we wrote: `golden/files.py` makes the first.

use crate::model::config;
use proptest::prelude::*;
use pullback_array::{Array, DType, file};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/files.json")).expect("golden/files.json")
}

fn hex(text: &Value) -> Vec<u8> {
    let digits = text.as_str().expect("hex").as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex");
    digits.chunks(2).map(byte).collect()
}

#[test]
fn reads_what_numpy_writes() {
    for case in golden()["cases"].as_array().expect("cases") {
        let name = case["name"].as_str().expect("name");
        let bytes = hex(&case["npy"]);
        let array = file::read_npy(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let shape: Vec<usize> = serde_json::from_value(case["shape"].clone()).expect("shape");
        let values: Vec<String> = serde_json::from_value(case["values"].clone()).expect("values");
        assert_eq!(array.shape(), shape, "{name}");
        assert_eq!(array.dtype().to_string(), case["dtype"], "{name}");
        if array.dtype() == DType::I64 {
            let expected: Vec<i64> = values.iter().map(|v| v.parse().expect("i64")).collect();
            assert_eq!(array.to_vec_i64().expect("i64"), expected, "{name}");
        } else {
            let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            let expected: Vec<f64> = values.iter().map(|v| v.parse().expect("f64")).collect();
            assert_eq!(bits(&array.to_vec_f64()), bits(&expected), "{name}");
        }
        if case["ours"] == true {
            assert_eq!(file::npy_bytes(&array).expect("bytes"), bytes, "{name}");
        }
    }
}

#[test]
fn refuses_elements_without_a_number() {
    for case in golden()["refused"].as_array().expect("refused") {
        let error = file::read_npy(&hex(&case["npy"])).expect_err("refused");
        assert_eq!(error.message(), case["message"]);
        assert!(error.is_file());
    }
}

/// A version 1.0 file with this header and these bytes behind it.
fn npy(header: &str, elements: &[u8]) -> Vec<u8> {
    let length = u16::try_from(header.len()).expect("short").to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), elements].concat()
}

#[test]
fn refuses_headers_that_lie() {
    let header = |shape: &str| format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    let cases = [
        (b"PK".to_vec(), "npy: truncated inside of the header"),
        (b"0123456789".to_vec(), "npy: not an npy file"),
        (b"\x93NUMPY\x09\x00\x00\x00".to_vec(), "npy: version 9 of the format is unknown"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(), "npy: a header of 4294967295 bytes"),
        (npy(&header("(3,)"), &[0; 16]), "npy: truncated: [3] needs 24 B, at most 16 B are there"),
        (
            npy(&header("(1099511627776,)"), &[0; 16]),
            "npy: truncated: [1099511627776] needs 8 TiB, at most 16 B are there",
        ),
        (
            npy(&header("(4294967296, 4294967296)"), &[]),
            "npy: the number of elements of [4294967296, 4294967296] overflows",
        ),
        (npy(&header("(99999999999999999999,)"), &[]), "npy: a malformed header"),
        (npy(&header("(-1,)"), &[]), "npy: a malformed header"),
        (npy(&header("((((((((1,),),),),),),),)"), &[]), "npy: a malformed header"),
        (npy(&"(".repeat(60_000), &[]), "npy: a malformed header"),
        (
            npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", &[]),
            "npy: records are no arrays of numbers",
        ),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", &[]), "npy: elements of type '|O'"),
        (npy("{'descr': '<f8', 'shape': (1,)}", &[0; 8]), "npy: a malformed header"),
    ];
    for (bytes, message) in cases {
        assert_eq!(file::read_npy(&bytes).expect_err(message).message(), message);
    }
}

#[test]
fn reads_npz() {
    for bytes in [&include_bytes!("../golden/stored.npz")[..], include_bytes!("../golden/deflated.npz")] {
        let mut npz = file::Npz::from_bytes(bytes.to_vec()).expect("an archive");
        assert_eq!(npz.names()[..4], ["x", "dL/dx", "n", "f"]);
        let x = npz.read("x").expect("x");
        assert_eq!((x.shape(), x.dtype()), (&[2, 3][..], DType::F64));
        let tenths: Vec<f64> = (0..6).map(|i| f64::from(i) * 0.1).collect();
        assert_eq!(x.to_vec_f64(), tenths);
        let gradient = npz.read("dL/dx").expect("dL/dx");
        assert_eq!(
            (gradient.dtype(), gradient.to_vec_f64()),
            (DType::F32, vec![-1.0, 0.0, 1.0, 2.0, 3.0, 4.0])
        );
        assert_eq!(npz.read("n").expect("n").to_vec_i64().expect("i64"), [7]);
        assert_eq!(npz.read("f").expect("f").to_vec_f64(), [0.0, 1.5, 3.0, 4.5, 6.0, 7.5]);
        if npz.names().len() > 4 {
            assert_eq!(npz.read("zeros").expect("zeros").max_abs(), 0.0);
        }
        let error = npz.read("y").expect_err("no y");
        assert_eq!(error.message(), "npz: no array named y");
        assert!(error.hint().expect("a hint").starts_with("it has x, dL/dx"));
    }
}

#[test]
fn paths_stand_in_messages() {
    let error = file::load_npy("no/such/file.npy").expect_err("no such file");
    assert!(error.message().starts_with("no/such/file.npy: "), "{error}");
    let error = file::Npz::open("no/such/file.npz").err().expect("no such file");
    assert!(error.message().starts_with("no/such/file.npz: "), "{error}");
    let path = std::env::temp_dir().join(format!("pullback-array-{}.npy", std::process::id()));
    let array = Array::from_slice(&[2], &[1.5f32, -2.0]).expect("two elements");
    file::save_npy(&array, &path).expect("a writable folder");
    let read = file::load_npy(&path).expect("just written");
    std::fs::remove_file(&path).expect("just written");
    assert_eq!((read.dtype(), read.to_vec_f64()), (DType::F32, vec![1.5, -2.0]));
}

proptest! {
    #![proptest_config(config(256))]

    /// Whatever the bytes, an array or an error comes back: cut, and with bytes replaced.
    #[test]
    fn no_bytes_panic(which in 0..21usize, cut in 0..400usize, changes in prop::collection::vec((0..200usize, any::<u8>()), 0..4)) {
        let mut bytes = hex(&golden()["cases"][which]["npy"]);
        bytes.truncate(bytes.len().saturating_sub(cut));
        for (at, byte) in changes {
            if let Some(b) = bytes.get_mut(at) {
                *b = byte;
            }
        }
        let _ = file::read_npy(&bytes);
    }

    #[test]
    fn no_archive_panics(cut in 0..800usize, changes in prop::collection::vec((0..1500usize, any::<u8>()), 0..6)) {
        let mut bytes = include_bytes!("../golden/deflated.npz").to_vec();
        bytes.truncate(bytes.len().saturating_sub(cut));
        for (at, byte) in changes {
            if let Some(b) = bytes.get_mut(at) {
                *b = byte;
            }
        }
        if let Ok(mut npz) = file::Npz::from_bytes(bytes) {
            for name in npz.names() {
                let _ = npz.read(&name);
            }
        }
    }
}
