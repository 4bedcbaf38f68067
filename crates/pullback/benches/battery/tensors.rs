//! The container of `.safetensors` files, taken apart and put together without a look at the numbers: what is judged are the very
//! bytes that the generator wrote.

use serde_json::{Map, Value, json};

/// One array: its name, its format and shape as the file states them, its bytes.
#[derive(Clone)]
pub struct Tensor {
    pub name: String,
    dtype: Value,
    shape: Value,
    bytes: Vec<u8>,
}

impl Tensor {
    /// The same under another name.
    pub fn named(&self, name: &str) -> Tensor {
        Tensor { name: name.to_string(), ..self.clone() }
    }
}

/// All arrays of a file.
pub fn read(bytes: &[u8]) -> Option<Vec<Tensor>> {
    let length = usize::try_from(u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?)).ok()?;
    let header: Map<String, Value> = serde_json::from_slice(bytes.get(8..8 + length)?).ok()?;
    let data = &bytes[8 + length..];
    let arrays = header.into_iter().filter(|(name, _)| name != "__metadata__");
    arrays
        .map(|(name, about)| {
            let end = |at: usize| usize::try_from(about["data_offsets"][at].as_u64()?).ok();
            let bytes = data.get(end(0)?..end(1)?)?.to_vec();
            Some(Tensor { name, dtype: about["dtype"].clone(), shape: about["shape"].clone(), bytes })
        })
        .collect()
}

/// A file of some arrays.
pub fn written(tensors: &[Tensor]) -> Vec<u8> {
    let mut header = Map::new();
    let mut data = Vec::new();
    for tensor in tensors {
        let start = data.len();
        data.extend(&tensor.bytes);
        let about =
            json!({"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [start, data.len()]});
        header.insert(tensor.name.clone(), about);
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()
}
