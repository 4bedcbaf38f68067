//! Data files that lie, end early, or are no files, through `load(…)`, `--data` and the real command: exit code 2, the place of
//! the `load`, and what is wrong with the file. Bytes are put together here by NumPy's and zip's documents, not by our writer.

use std::path::PathBuf;

use crate::command::pullback;

/// What is right whatever was loaded.
const CLAIM: &str = "w = [1, 2]; M = sum(w); dM/dw = ones(2)\n";

/// A folder of its own for one test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("pullback-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a writable folder");
        Folder(path)
    }

    /// Runs a source whose paths are relative to the folder.
    fn check(&self, source: &str) -> (i32, String) {
        let file = self.0.join("hostile.grad");
        std::fs::write(&file, source).expect("a writable folder");
        let path = file.to_str().expect("UTF-8");
        let ran = pullback(&["check", path, "--memory", "64MiB"], "");
        (ran.code, ran.stdout + &ran.stderr)
    }

    /// Loads a file with these bytes, and holds what is said of it to `says`; where that is empty, the file is good.
    fn holds(&self, name: &str, bytes: &[u8], load: &str, says: &str) {
        std::fs::write(self.0.join(name), bytes).expect("a writable folder");
        let (code, said) = self.check(&format!("# first\nx: [3] = {load}\nL = sum(x)\n{CLAIM}"));
        if says.is_empty() {
            assert_eq!(code, 0, "{name}: {said}");
        } else {
            assert!(code == 2 && said.contains(says), "{name}: {code}, no `{says}` in {said}");
            assert!(
                said.contains("hostile.grad:2:10") && said.contains("^^^^") && said.contains("help: "),
                "{name}: no place or no advice in {said}"
            );
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left behind where it cannot be removed: no failure of the test.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An `.npy` file of this version, with this text in its header, which claims to be so long, and these bytes behind it.
fn npy(version: u8, claimed: Option<usize>, text: &str, elements: &[u8]) -> Vec<u8> {
    let length = claimed.unwrap_or(text.len()) as u32;
    let length = match version {
        1 => (length as u16).to_le_bytes().to_vec(),
        _ => length.to_le_bytes().to_vec(),
    };
    [b"\x93NUMPY", &[version, 0][..], &length, text.as_bytes(), elements].concat()
}

fn header(descr: &str, order: &str, shape: &str) -> String {
    format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n")
}

/// 1, 2, 3 as f64.
fn numbers() -> Vec<u8> {
    [1.0f64, 2.0, 3.0].iter().flat_map(|x| x.to_le_bytes()).collect()
}

#[test]
fn npy_files() {
    let folder = Folder::new("npy");
    let plain = |shape: &str| header("'<f8'", "False", shape);
    let axes = format!("({})", "1, ".repeat(10_000));
    let not_numbers: Vec<u8> = [f64::NAN, f64::INFINITY, 1.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    let cases: [(&str, Vec<u8>, &str); 26] = [
        ("good", npy(1, None, &plain("(3,)"), &numbers()), ""),
        ("version 2", npy(2, None, &plain("(3,)"), &numbers()), ""),
        ("version 3", npy(3, None, &plain("(3,)"), &numbers()), ""),
        ("Fortran's order", npy(1, None, &header("'<f8'", "True", "(3,)"), &numbers()), ""),
        ("bytes behind the elements", npy(1, None, &plain("(3,)"), &[numbers(), vec![7; 999]].concat()), ""),
        ("NaN and infinity", npy(1, None, &plain("(3,)"), &not_numbers), ""),
        ("nothing", Vec::new(), "truncated inside of the header"),
        ("the magic bytes alone", b"\x93NUMPY".to_vec(), "truncated inside of the header"),
        ("zeros", vec![0; 4096], "not an npy file"),
        (
            "an element less",
            npy(1, None, &plain("(3,)"), &numbers()[..16]),
            "needs 24 B, at most 16 B are there",
        ),
        ("a header beyond the end", npy(1, Some(60_000), &plain("(3,)"), &numbers()), "truncated inside"),
        ("a header of 4 GiB", npy(2, Some(0xffff_ffff), &plain("(3,)"), &[]), "a header of 4294967295 bytes"),
        ("an unknown version", npy(9, None, &plain("(3,)"), &numbers()), "version 9"),
        ("more than a size has", npy(1, None, &plain("(4294967296, 4294967296)"), &[]), "overflows"),
        ("nothing times that", npy(1, None, &plain("(0, 4294967296, 4294967296)"), &[]), "overflows"),
        ("a trillion", npy(1, None, &plain("(1000000000000,)"), &numbers()), "needs 7.3 TiB"),
        ("beyond any size", npy(1, None, &plain("(99999999999999999999999,)"), &[]), "a malformed header"),
        ("below zero", npy(1, None, &plain("(-3,)"), &numbers()), "a malformed header"),
        ("NaN for a size", npy(1, None, &plain("(nan,)"), &numbers()), "a malformed header"),
        ("NaN for an order", npy(1, None, &header("'<f8'", "NaN", "(3,)"), &numbers()), "a malformed header"),
        ("ten thousand axes", npy(1, None, &plain(&axes), &numbers()), "more than 64 axes"),
        ("brackets", npy(1, None, &"(".repeat(60_000), &[]), "a malformed header"),
        ("objects", npy(1, None, &header("'|O'", "False", "(3,)"), &numbers()), "elements of type '|O'"),
        ("complex numbers", npy(1, None, &header("'<c8'", "False", "(3,)"), &numbers()), "type '<c8'"),
        ("records", npy(1, None, &header("[('a', '<f8')]", "False", "(3,)"), &numbers()), "records"),
        ("no type at all", npy(1, None, &header("'<q9'", "False", "(3,)"), &numbers()), "type '<q9'"),
    ];
    for (name, bytes, says) in cases {
        folder.holds(&format!("{name}.npy"), &bytes, &format!("load(\"{name}.npy\")"), says);
    }
}

/// A file that is as large as it says, and larger than `--memory`.
#[test]
fn a_large_file_is_refused_before_it_is_read() {
    let folder = Folder::new("large");
    let start = npy(1, None, &header("'<f8'", "False", "(100000000,)"), &[]);
    let file = folder.0.join("large.npy");
    std::fs::write(&file, &start).expect("a writable folder");
    let length = start.len() as u64 + 800_000_000;
    let sparse = std::fs::OpenOptions::new().write(true).open(&file).and_then(|file| file.set_len(length));
    sparse.expect("a sparse file");
    let (code, said) = folder.check("x = load(\"large.npy\")\nL = sum(x)");
    assert!(code == 2 && said.contains("out of memory: 762.9 MiB"), "{said}");
}

/// A zip archive with one entry, `x.npy`: what both of its headers say, and what is in it.
struct Archive {
    flags: u16,
    method: u16,
    checksum: u32,
    /// The size of the entry once unpacked.
    size: u32,
    packed: Vec<u8>,
}

impl Archive {
    /// `bytes` as they are.
    fn stored(bytes: Vec<u8>) -> Archive {
        Archive { flags: 0, method: 0, checksum: crc32(&bytes), size: bytes.len() as u32, packed: bytes }
    }

    fn bytes(&self) -> Vec<u8> {
        let common = |flags: u16| {
            let mut fields = Vec::new();
            [20, flags, self.method, 0, 0x21]
                .iter()
                .for_each(|field: &u16| fields.extend(field.to_le_bytes()));
            for field in [self.checksum, self.packed.len() as u32, self.size] {
                fields.extend(field.to_le_bytes());
            }
            fields.extend([5, 0, 0, 0]);
            fields
        };
        let local = [b"PK\x03\x04", &common(self.flags)[..], b"x.npy", &self.packed].concat();
        let central = [b"PK\x01\x02\x14\0", &common(self.flags)[..], &[0; 14], b"x.npy"].concat();
        let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
        end.extend((central.len() as u32).to_le_bytes());
        end.extend((local.len() as u32).to_le_bytes());
        [local, central, end, vec![0, 0]].concat()
    }
}

impl Archive {
    /// The same with two entries of one name, which share their bytes.
    fn twice(&self) -> Vec<u8> {
        let one = self.bytes();
        let at = one.windows(4).rposition(|four| four == b"PK\x01\x02").expect("a table of contents");
        let (local, rest) = one.split_at(at);
        let central = &rest[..rest.len() - 22];
        let mut end = b"PK\x05\x06\0\0\0\0\x02\0\x02\0".to_vec();
        end.extend((2 * central.len() as u32).to_le_bytes());
        end.extend((local.len() as u32).to_le_bytes());
        [local, central, central, &end, &[0, 0]].concat()
    }
}

/// The checksum of zip (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    };
    !bytes.iter().fold(!0, step)
}

/// Deflate (RFC 1951) in stored blocks, the last one not marked as such: unpacking goes on behind the end.
fn deflated_without_end(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    [&[0][..], &length.to_le_bytes(), &(!length).to_le_bytes(), bytes].concat()
}

#[test]
fn npz_files() {
    let folder = Folder::new("npz");
    let good = npy(1, None, &header("'<f8'", "False", "(3,)"), &numbers());
    let archive = || Archive::stored(good.clone());
    let claims_more = npy(1, None, &header("'<f8'", "False", "(500000000,)"), &numbers());
    let truncated = archive().bytes();
    let cases: [(&str, Vec<u8>, &str); 11] = [
        ("good", archive().bytes(), ""),
        ("nothing", Vec::new(), "nothing.npz: "),
        ("no archive", b"hello".to_vec(), "no archive.npz: "),
        ("half", truncated[..truncated.len() / 2].to_vec(), "half.npz: "),
        (
            "lies",
            Archive { size: 0xf000_0000, ..archive() }.bytes(),
            "claims 4026531840 bytes has not so many",
        ),
        (
            "bomb",
            Archive {
                method: 8,
                size: 4_000_000_128,
                packed: deflated_without_end(&claims_more),
                ..archive()
            }
            .bytes(),
            "claims 4000000128 bytes has not so many",
        ),
        ("less", Archive { size: 10, ..archive() }.bytes(), "larger than its declared"),
        ("encrypted", Archive { flags: 1, ..archive() }.bytes(), "encrypted.npz/x: "),
        ("unknown method", Archive { method: 99, ..archive() }.bytes(), "unknown method.npz/x: "),
        ("checksum", Archive { checksum: 7, ..archive() }.bytes(), "checksum.npz/x: "),
        (
            "unended",
            Archive { method: 8, packed: deflated_without_end(&good[..good.len() - 9]), ..archive() }.bytes(),
            "unended.npz/x: ",
        ),
    ];
    for (name, bytes, says) in cases {
        folder.holds(&format!("{name}.npz"), &bytes, &format!("load(\"{name}.npz\", \"x\")"), says);
    }
    folder.holds("other.npz", &archive().bytes(), "load(\"other.npz\", \"y\")", "no array named y");
}

/// A safetensors file by its document: eight bytes of length, the header, the elements.
fn safetensors(claimed: Option<u64>, header: &str, elements: &[u8]) -> Vec<u8> {
    let length = claimed.unwrap_or(header.len() as u64);
    [&length.to_le_bytes()[..], header.as_bytes(), elements].concat()
}

#[test]
fn dumps() {
    let folder = Folder::new("dumps");
    let one = |dtype: &str, shape: &str, end: usize| {
        format!(r#"{{"x":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{end}]}}}}"#)
    };
    let archive = |descr: &str, elements: &[u8]| {
        Archive::stored(npy(1, None, &header(&format!("'{descr}'"), "False", "(3,)"), elements))
    };
    let half = [0x80, 0x3f, 0, 0x40, 0x40, 0x40];
    let good = archive("<V2", &half).bytes();
    // Names of entries are shown: one with a line break and the beginning of a colour.
    let escaping = one("F32", "[3]", 12).replace("\"x\"", "\"x\\n\\u001b[31m\"");
    let nested = format!("{{\"__metadata__\":{}1{}}}", "[".repeat(500_000), "]".repeat(500_000));
    let cases: [(&str, Vec<u8>, &str); 20] = [
        ("good.npz", good.clone(), ""),
        ("void.npz", archive("|V2", &half).bytes(), ""),
        ("half.npz", archive("<f2", &[0, 0x3c, 0, 0x40, 0, 0x42]).bytes(), ""),
        ("good.safetensors", safetensors(None, &one("BF16", "[3]", 6), &half), ""),
        ("by contents", safetensors(None, &one("BF16", "[3]", 6), &half), ""),
        ("f8.npz", archive("<V1", &[0; 3]).bytes(), "f8.npz/x: npy: elements of type '<V1'"),
        ("void8.npz", archive("<V8", &[0; 24]).bytes(), "elements of type '<V8'"),
        ("cut.npz", good[..good.len() - 7].to_vec(), "cut.npz: "),
        ("twice.npz", archive("<V2", &half).twice(), "two of its arrays have one name"),
        ("lies.npz", Archive { size: 0xf000_0000, ..archive("<V2", &half) }.bytes(), "has not so many"),
        ("text.npz", b"x = 1".to_vec(), "text.npz: "),
        ("nothing.safetensors", Vec::new(), "header too small"),
        ("short.safetensors", safetensors(Some(99), "{}", &[]), "invalid header length"),
        (
            "huge.safetensors",
            safetensors(Some(u64::MAX), "{}", &[]),
            "a header of 18446744073709551615 bytes",
        ),
        ("nested.safetensors", safetensors(None, &nested, &[]), "safetensors: invalid JSON in header"),
        ("f8.safetensors", safetensors(None, &one("F8_E5M2", "[3]", 3), &[0; 3]), "elements of type F8_E5M2"),
        ("large.safetensors", safetensors(None, &one("F32", "[99999999999]", 12), &[0; 12]), "invalid shape"),
        ("more.safetensors", safetensors(None, &one("F32", "[3]", 12), &[0; 13]), "is the file complete?"),
        ("escaping.safetensors", safetensors(None, &escaping, &[0; 12]), "the file has nothing for `"),
        ("neither", b"hello hello".to_vec(), "`.npz` and `.safetensors` files can be read"),
    ];
    let file = folder.0.join("dumped.grad");
    std::fs::write(&file, "x: [n=2] ~ randn; L = sum(x); dL/dx = ones(n)").expect("a writable folder");
    let check = |name: &str| {
        let dump = folder.0.join(name);
        let (file, dump) = (file.to_str().expect("UTF-8"), dump.to_str().expect("UTF-8"));
        let ran = pullback(&["check", file, "--data", dump, "--memory", "64MiB"], "");
        (ran.code, ran.stdout + &ran.stderr)
    };
    for (name, bytes, says) in cases {
        std::fs::write(folder.0.join(name), bytes).expect("a writable folder");
        let (code, said) = check(name);
        let expected = if says.is_empty() { 0 } else { 2 };
        assert!(code == expected && said.contains(says), "{name}: {code}, no `{says}` in {said}");
        assert!(!said.contains('\u{1b}'), "{name}: {said}");
    }
    // As large as the limit: refused before it is read.
    std::fs::File::create(folder.0.join("sparse.npz"))
        .and_then(|file| file.set_len(1 << 36))
        .expect("a writable folder");
    let (code, said) = check("sparse.npz");
    assert!(code == 2 && said.contains("out of memory: 64 GiB"), "{said}");
    if cfg!(target_os = "linux") {
        let (code, said) = check("/dev/zero");
        assert!(code == 2 && said.contains("not a file"), "{said}");
    }
}

#[test]
fn what_is_no_file() {
    let folder = Folder::new("no-file");
    std::fs::create_dir_all(folder.0.join("folder.npz")).expect("a writable folder");
    let load = |path: &str| folder.check(&format!("x = load(\"{path}\", \"x\")\nL = sum(x)"));
    for path in ["folder.npz", "gone.npz", "", "\u{1}", &"long/".repeat(700)] {
        let (code, said) = load(path);
        assert!(code == 2 && said.contains("hostile.grad:1:5"), "{path}: {said}");
    }
    if cfg!(target_os = "linux") {
        // Opening a pipe that nobody writes to waits for ever, and /dev/zero has no end.
        let pipe = folder.0.join("pipe.npz");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there");
        assert!(made.success());
        for path in ["pipe.npz", "/dev/zero", "/dev/null"] {
            let (code, said) = load(path);
            assert!(code == 2 && said.contains("not a file"), "{path}: {said}");
        }
    }
}
