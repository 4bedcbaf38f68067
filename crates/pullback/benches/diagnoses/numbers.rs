//! The gradients of a program as numbers of other code, one of them wrong, and no expression anywhere: in a dump, or as what
//! a function returns.

use std::collections::HashMap;
use std::path::Path;

use pullback::array::file::Dump;
use pullback::array::{Array, DType};
use pullback::function::{Given, Gradients, Returned};
use pullback::lang::program::{Claimed, Inputs, Program, ValueKind, elaborate_with};
use pullback::lang::{Layout, StatementKind, parse};

use crate::mutate::Mutant;
use crate::rewrite::resized;
use crate::scene::Scene;
use crate::source::{Edit, is_claim};

/// The forward pass of a program without claims, and without what needs them; none where the mutant is about a claim that
/// other code has no name for.
pub fn forward(scene: &Scene, mutant: &Mutant) -> Option<Vec<usize>> {
    let source = &scene.source;
    let plain = mutant.edits.iter().all(|edit| is_plain(scene, edit.statement));
    if mutant.in_definition || !plain {
        return None;
    }
    let claimless =
        |at: &usize| source.needs(*at).iter().all(|&needed| !is_claim(&source.file.statements[needed].kind));
    Some(source.all().into_iter().filter(claimless).collect())
}

/// The inputs of a file and the gradients that it claims, as a dump in the precision of the file; the wrong one comes last.
pub fn dumped(scene: &Scene, mutant: &Mutant) -> Option<Dump> {
    let source = &scene.source;
    let single = source
        .file
        .statements
        .iter()
        .any(|statement| matches!(statement.kind, StatementKind::DType(pullback::lang::DType::F32)));
    let dtype = if single { DType::F32 } else { DType::F64 };
    let mut arrays: Vec<(String, Array)> = Vec::new();
    let mut inputs = Inputs::default();
    for value in scene.program.values.iter().filter(|value| value.kind != ValueKind::Definition) {
        let array = value.val.array().ok()?;
        if array.dtype().is_float() {
            let stored = array.cast(dtype).ok()?;
            inputs.set(&value.name, stored.cast(DType::F64).ok()?);
            arrays.push((value.name.clone(), stored));
        }
    }
    let program = rerun(scene, &inputs, &HashMap::new()).ok()?;
    for (key, array) in gradients(scene, mutant, &program)? {
        arrays.push((key, array.cast(dtype).ok()?));
    }
    Dump::from_bytes("dump.safetensors", safetensors(&arrays)?).ok()
}

/// The program of a file on other inputs, some statements replaced, in double precision.
fn rerun(scene: &Scene, inputs: &Inputs, instead: &HashMap<usize, String>) -> Result<Program, String> {
    let source = &scene.source;
    let mut instead = instead.clone();
    for (at, statement) in source.file.statements.iter().enumerate() {
        if matches!(statement.kind, StatementKind::DType(_)) {
            instead.insert(at, "dtype f64".to_owned());
        }
    }
    let text = source.written(&source.all(), &[], &instead);
    let rerun = elaborate_with(&parse(&text).file, inputs, Path::new("."));
    let said = |errors: Vec<pullback::lang::Error>| errors.first().map(|error| error.message().to_owned());
    rerun.map(|(program, _)| program).map_err(|errors| said(errors).unwrap_or_default())
}

/// The gradients that a file claims on the data of a function, with those by other inputs said not to be computed.
///
/// # Errors
/// Where the program cannot be run on that data.
pub fn returned(scene: &Scene, mutant: &Mutant, given: &Given<'_>) -> Returned {
    let source = &scene.source;
    let mut inputs = Inputs::default();
    for name in given.names() {
        let stated = scene.program.find(name).is_some_and(|value| value.kind != ValueKind::Definition);
        if stated {
            let array = given.array(name)?;
            let exact = if array.dtype().is_float() { array.cast(DType::F64)? } else { array.clone() };
            inputs.set(name, exact);
        }
    }
    let mut size_of =
        |name: &str, own: &str| given.size(name).map_or_else(|_| own.to_owned(), |size| size.to_string());
    let instead = resized(source, &mut size_of);
    let program = rerun(scene, &inputs, &instead)?;
    let arrays = gradients(scene, mutant, &program).ok_or("the gradients cannot be computed")?;
    let mut all = Gradients::new();
    let of = &scene.program.claims[source.claim_number(mutant.claim)].of_name;
    for value in scene.program.values.iter().filter(|value| value.kind == ValueKind::Input) {
        let by = format!("/d{}", value.name);
        if !arrays.iter().any(|(key, _)| key.ends_with(&by)) {
            all = all.none(format!("d{of}{by}"));
        }
    }
    Ok(arrays.into_iter().fold(all, |all, (key, array)| all.with(key, array)))
}

/// All gradients on the data of a program, by the names of their claims; the wrong one comes last.
fn gradients(scene: &Scene, mutant: &Mutant, program: &Program) -> Option<Vec<(String, Array)>> {
    let source = &scene.source;
    let mut claims: Vec<usize> = source.claims().into_iter().filter(|&at| is_plain(scene, at)).collect();
    claims.retain(|&at| at != mutant.claim);
    claims.push(mutant.claim);
    let mut arrays = Vec::new();
    for at in claims {
        let edit = mutant.edits.iter().find(|edit| edit.statement == at);
        let number = source.claim_number(at);
        arrays.push((program.claims[number].key.clone(), array(program, number, edit)?));
    }
    Some(arrays)
}

/// Is it a claim whose key is that of a derivative and nothing else, as a dump has it?
fn is_plain(scene: &Scene, statement: usize) -> bool {
    match &scene.source.file.statements[statement].kind {
        StatementKind::Claim(claim) => {
            let key = &claim.key;
            key.wrt.len() == 1 && key.fixed.is_empty() && key.layout == Layout::Default
        }
        _ => false,
    }
}

/// What a claim says, or would say.
fn array(program: &Program, number: usize, edit: Option<&Edit>) -> Option<Array> {
    match (edit, &program.claims[number].claimed) {
        (Some(edit), _) => {
            let val = program.reclaimed(number, &edit.expr, &HashMap::new()).ok()?;
            val.array().ok().cloned()
        }
        (None, Claimed::Value { val, .. }) => val.array().ok().cloned(),
        (None, Claimed::Shape(_)) => None,
    }
}

/// Arrays as the bytes of a safetensors file.
fn safetensors(arrays: &[(String, Array)]) -> Option<Vec<u8>> {
    let mut header = serde_json::Map::new();
    let mut numbers: Vec<u8> = Vec::new();
    for (name, array) in arrays {
        let start = numbers.len();
        let dtype = if array.dtype() == DType::F32 {
            numbers.extend(array.view::<f32>().ok()?.iter().flat_map(|number| number.to_le_bytes()));
            "F32"
        } else {
            numbers.extend(array.to_vec_f64().iter().flat_map(|number| number.to_le_bytes()));
            "F64"
        };
        let described = serde_json::json!({
            "dtype": dtype, "shape": array.shape(), "data_offsets": [start, numbers.len()],
        });
        header.insert(name.clone(), described);
    }
    let header = serde_json::Value::Object(header).to_string().into_bytes();
    Some([&(header.len() as u64).to_le_bytes()[..], &header, &numbers].concat())
}
