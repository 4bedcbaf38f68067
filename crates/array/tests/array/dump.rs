//! Dumps: what NumPy and safetensors write in every format, what they cannot say, and files that lie.

use crate::model::config;
use proptest::prelude::*;
use pullback_array::file::{Digits, Dump, Entry};
use pullback_array::random::Generator;
use pullback_array::{Array, DType, Precision, Result};

const NPZ: &[u8] = include_bytes!("../golden/half.npz");
const SAFETENSORS: &[u8] = include_bytes!("../golden/half.safetensors");

fn read(path: &str, bytes: &[u8]) -> Result<Dump> {
    Dump::from_bytes(path, bytes.to_vec())
}

/// Thirds, rounded to the significant bits of a format.
fn thirds(bits: i32) -> Vec<f64> {
    let rounded = |x: f64| {
        if x == 0.0 {
            return 0.0;
        }
        let unit = 2f64.powi(x.log2().floor() as i32 + 1 - bits);
        (x / unit).round_ties_even() * unit
    };
    (0..6).map(|i| rounded(f64::from(i) / 3.0)).collect()
}

#[test]
fn every_format_is_read_from_both_files() {
    // By its name or by its contents.
    for (path, bytes) in
        [("d.npz", NPZ), ("d.safetensors", SAFETENSORS), ("d.bin", NPZ), ("d", SAFETENSORS), ("D.NPZ", NPZ)]
    {
        let dump = read(path, bytes).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(dump.entries().len(), 7, "{path}");
        let cases = [
            ("f64", Precision::F64, DType::F64, 53),
            ("f32", Precision::F32, DType::F32, 24),
            ("f16", Precision::F16, DType::F32, 11),
            ("dL/dx", Precision::BF16, DType::F32, 8),
        ];
        for (name, precision, dtype, bits) in cases {
            let entry = dump.get(name).unwrap_or_else(|| panic!("{path}: {name}"));
            assert_eq!((entry.precision, entry.stored), (precision, precision), "{path}: {name}");
            assert_eq!((entry.array.dtype(), entry.array.shape()), (dtype, &[2, 3][..]), "{path}: {name}");
            assert_eq!(entry.array.to_vec_f64(), thirds(bits), "{path}: {name}");
        }
        let whole = dump.get("∂L/∂n").expect("a name that is no file name");
        assert_eq!(whole.precision, Precision::Whole);
        assert_eq!(whole.array.to_vec_f64(), [-1.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(dump.get("mask").expect("mask").array.to_vec_f64(), [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(dump.get("s").expect("s").array.item().ok(), Some(2.5));
    }
}

/// A safetensors file with these f32 arrays.
fn singles(arrays: &[(&str, Vec<f32>)]) -> Vec<u8> {
    let mut header = String::from("{");
    let mut data = Vec::new();
    for (name, numbers) in arrays {
        let start = data.len();
        data.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
        let comma = if header.len() > 1 { "," } else { "" };
        let (count, end) = (numbers.len(), data.len());
        header += &format!(
            "{comma}\"{name}\":{{\"dtype\":\"F32\",\"shape\":[{count}],\"data_offsets\":[{start},{end}]}}"
        );
    }
    safetensors(&(header + "}"), &data)
}

fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// Numbers in f32 with so many significant bits.
fn drawn(seed: u64, count: usize, bits: u32) -> Vec<f32> {
    let numbers = Generator::new(seed).randn(&[count], DType::F32).expect("a few numbers").to_vec_f64();
    // Cut off, not rounded: what counts is which bits are used.
    numbers.iter().map(|&x| f32::from_bits((x as f32).to_bits() & (u32::MAX << (24 - bits)))).collect()
}

/// What the digits of f32 numbers tell: the format they come from, the narrowest that has them, whether they may be results in it.
fn told(numbers: &[f32]) -> (Option<Precision>, Precision, bool) {
    let array = Array::from_slice(&[numbers.len()], numbers).expect("a vector");
    let digits = Digits::of(&array, Precision::F32);
    (digits.told(), digits.narrowest(), digits.may_be_rounded(digits.narrowest()))
}

#[test]
fn digits_tell_the_format_of_results() {
    use Precision::{BF16, F16, F32};
    for (bits, format) in [(8, BF16), (11, F16), (24, F32)] {
        assert_eq!(told(&drawn(1, 60, bits)), (Some(format), format, true), "{bits} bits");
    }
    // What every format has among its results does not hide them: zeros, and ones where something saturates.
    let saturated: Vec<f32> =
        drawn(2, 90, 8).into_iter().enumerate().map(|(k, x)| [x, 0.0, 1.0, x][k % 4]).collect();
    assert_eq!(told(&saturated), (Some(BF16), BF16, true));
    // Subnormal numbers of f16 have fewer digits, and all of them have the last one's place.
    let tiny: Vec<f32> = drawn(3, 60, 11).into_iter().map(|x| x / 4096.0).collect();
    let tiny: Vec<f32> = tiny.into_iter().map(|x| (x * 16_777_216.0).round() / 16_777_216.0).collect();
    assert_eq!(told(&tiny).1, F16);
    // As it is read, it has the precision that holds it.
    let dump = read("d", &singles(&[("W", drawn(1, 30, 8)), ("x", drawn(2, 30, 24))])).expect("a dump");
    let is_held = |entry: &Entry| (entry.precision, entry.stored) == (F32, F32);
    assert!(dump.entries().iter().all(is_held));
}

#[test]
fn whole_numbers_and_simple_fractions_tell_nothing() {
    use Precision::{BF16, F16, F32};
    let counts: Vec<f32> = (128u8..=255).map(f32::from).collect();
    let cases: [(&str, Vec<f32>, Precision); 7] = [
        ("zeros", vec![0.0; 30], BF16),
        ("zeros and ones", (0u8..30).map(|k| f32::from(k % 2)).collect(), BF16),
        ("counts that use eight bits", counts.clone(), BF16),
        ("an eighth of them", counts.iter().map(|x| x / 8.0).collect(), BF16),
        ("larger ones", (1000u16..1100).map(f32::from).collect(), F16),
        ("whole numbers that need f32", (5000u16..5100).map(f32::from).collect(), F32),
        ("quarters", (0u8..60).map(|k| f32::from(k) / 4.0).collect(), BF16),
    ];
    for (name, numbers, narrowest) in cases {
        let (format, narrow, _) = told(&numbers);
        assert_eq!((format, narrow), (None, narrowest), "{name}");
    }
    // Powers of two, of any size, use no digit.
    let powers: Vec<f32> = (0..30).map(|k| 2f32.powi(k - 15)).collect();
    assert_eq!(told(&powers), (None, BF16, false));
    // Counts of eight bits may be rounded results all the same; few-bit numbers may not.
    assert!(told(&counts).2 && !told(&(0u8..60).map(|k| f32::from(k) / 4.0).collect::<Vec<_>>()).2);
    // One number by itself is a multiple of itself.
    assert_eq!(told(&[0.333_984_38]), (None, BF16, true));
    assert_eq!(told(&[1.0 / 3.0]), (Some(F32), F32, true));
    // Integers, and nothing at all, are no matter of digits.
    let whole = Array::from_slice(&[3], &[300i64, 4, 5]).expect("three");
    assert_eq!(Digits::of(&whole, Precision::Whole).told(), None);
    assert_eq!(told(&[]).0, None);
}

#[test]
fn files_that_are_no_dump_say_so() {
    let offsets = |dtype: &str, shape: &str, end: u64| {
        format!(r#"{{"x":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{end}]}}}}"#)
    };
    let deep = "[".repeat(100_000);
    let twice = r#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    let many_axes = offsets("F32", &format!("{:?}", vec![1; 65]), 4);
    let cases: [(&str, Vec<u8>, &str); 16] = [
        ("d", b"".to_vec(), "d: this is no dump"),
        ("d.pt", b"garbage garbage".to_vec(), "d.pt: this is no dump"),
        ("d.npy", b"\x93NUMPY\x01\x00".to_vec(), "d.npy: this is one array without a name"),
        ("d.npz", SAFETENSORS.to_vec(), "d.npz: "),
        ("d.npz", NPZ[..NPZ.len() - 30].to_vec(), "d.npz: "),
        ("d.safetensors", NPZ.to_vec(), "d.safetensors: a header of "),
        ("d.safetensors", b"1234".to_vec(), "d.safetensors: safetensors: header too small"),
        (
            "d.safetensors",
            SAFETENSORS[..SAFETENSORS.len() - 1].to_vec(),
            "d.safetensors: safetensors: incomplete metadata, file not fully covered",
        ),
        ("d", [&u64::MAX.to_le_bytes()[..], b"{}"].concat(), "d: a header of 18446744073709551615 bytes"),
        ("d.safetensors", safetensors(&deep, &[]), "d.safetensors: safetensors: invalid JSON in header"),
        ("d", safetensors("{}", &[]), "d: it holds no arrays"),
        ("d", safetensors(twice, &[0; 8]), "d: safetensors: invalid offset for tensor `x`"),
        ("d", safetensors(&offsets("F8_E4M3", "[4]", 4), &[0; 4]), "d/x: elements of type F8_E4M3"),
        ("d", safetensors(&offsets("F32", "[3]", 4), &[0; 4]), "d: safetensors: invalid shape"),
        (
            "d",
            safetensors(&offsets("F32", "[4294967296,4294967296]", 4), &[0; 4]),
            "d: safetensors: overflow computing buffer size",
        ),
        ("d", safetensors(&many_axes, &[0; 4]), "d/x: an array of more than 64 axes"),
    ];
    for (path, bytes, message) in cases {
        let error = read(path, &bytes).expect_err(message);
        assert!(error.message().starts_with(message), "{error}, not {message}");
        assert!(error.is_file(), "{error}");
    }
    assert!(Dump::open("no/such/dump.npz").expect_err("none").message().starts_with("no/such/dump.npz: "));
}

proptest! {
    #![proptest_config(config(256))]

    /// Whatever the bytes, a dump or an error comes back: cut, and with bytes replaced.
    #[test]
    fn no_bytes_panic(
        is_npz in any::<bool>(),
        cut in 0..600usize,
        changes in prop::collection::vec((0..1900usize, any::<u8>()), 0..6),
    ) {
        let mut bytes = if is_npz { NPZ } else { SAFETENSORS }.to_vec();
        bytes.truncate(bytes.len().saturating_sub(cut / 3));
        for (at, byte) in changes {
            let length = bytes.len().max(1);
            if let Some(b) = bytes.get_mut(at % length) {
                *b = byte;
            }
        }
        for path in ["d.npz", "d.safetensors", "d"] {
            let _ = read(path, &bytes);
        }
    }
}
