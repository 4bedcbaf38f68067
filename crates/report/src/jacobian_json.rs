//! The JSON of `pullback jacobian`; its schema is `schemas/jacobian.json`.

use pullback_check::Probed;
use pullback_network::{Cost, Dim, Kind};
use serde::Serialize;

use crate::SCHEMA;
use crate::jacobian::{JacobianReport, JacobianStep, Payload, Statement, kind_text};
use crate::number::{Number, Values};
use crate::problem::ProblemJson;
use crate::visible::visible_json;

/// The report as a JSON object.
pub fn jacobian_json(report: &JacobianReport) -> String {
    let sizes = |dims: &[Dim]| dims.iter().map(|dim| dim.size()).collect::<Vec<usize>>();
    let side = |(name, dims): &(String, Vec<Dim>)| Side { name: name.clone(), shape: sizes(dims) };
    let payload =
        |payload: &Payload| PayloadJson { symbol: payload.symbol.clone(), shape: sizes(&payload.dims) };
    let size = report.dtype.size_of() as f64;
    let price = |cost: &Cost| CostJson {
        terms: cost.terms,
        stored_entries: Number(cost.stored_entries),
        stored_bytes: Number(cost.stored_entries * size),
        dense_entries: Number(cost.dense_entries),
        dense_bytes: Number(cost.dense_entries * size),
        vjp_flops: Number(cost.vjp_flops),
        jvp_flops: Number(cost.jvp_flops),
        build_flops: Number(cost.build_flops),
    };
    let step = |step: &JacobianStep| StepJson {
        of: side(&step.of),
        by: side(&step.by),
        formula: step.formula.clone(),
        cost: price(&step.cost),
    };
    let jacobian = JacobianJson {
        schema: SCHEMA,
        file: &report.document.name,
        of: side(&report.of),
        wrt: side(&report.wrt),
        dtype: report.dtype.to_string(),
        formula: (report.stages.len() < 2)
            .then(|| report.stages.first().map_or("0", |stage| stage.formula.as_str())),
        stages: if report.stages.len() < 2 { Vec::new() } else { report.stages.iter().map(step).collect() },
        payloads: report.payloads.iter().map(payload).collect(),
        structure: report.statements.iter().map(|statement| StatementJson::new(statement, report)).collect(),
        matrix: report.matrix.as_deref().filter(|_| report.cost.terms > 0),
        matrix_col: report.by_columns.as_deref().filter(|_| report.cost.terms > 0),
        cost: price(&report.cost),
        reverse_mode_flops: Number(report.reverse_mode_flops),
        operations: report.operations.iter().map(step).collect(),
        dense: report.dense.as_ref().map(|(form, array)| Dense {
            layout: form.word(),
            shape: array.shape(),
            values: Values(array),
        }),
        warnings: ProblemJson::all(&report.document, &report.warnings),
    };
    visible_json(serde_json::to_string(&jacobian).expect("strings, numbers and lists have a notation"))
}

#[derive(Serialize)]
struct JacobianJson<'a> {
    schema: u32,
    file: &'a str,
    of: Side,
    wrt: Side,
    dtype: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    formula: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stages: Vec<StepJson>,
    payloads: Vec<PayloadJson>,
    structure: Vec<StatementJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matrix: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matrix_col: Option<&'a str>,
    cost: CostJson,
    reverse_mode_flops: Number,
    operations: Vec<StepJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dense: Option<Dense<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<ProblemJson<'a>>,
}

/// A value by name, one of the two that a derivative is between.
#[derive(Serialize)]
pub(crate) struct Side {
    pub name: String,
    pub shape: Vec<usize>,
}

#[derive(Serialize)]
struct PayloadJson {
    symbol: String,
    shape: Vec<usize>,
}

#[derive(Serialize)]
struct CostJson {
    terms: usize,
    stored_entries: Number,
    stored_bytes: Number,
    dense_entries: Number,
    dense_bytes: Number,
    vjp_flops: Number,
    jvp_flops: Number,
    build_flops: Number,
}

#[derive(Serialize)]
struct StepJson {
    of: Side,
    by: Side,
    formula: String,
    cost: CostJson,
}

#[derive(Serialize)]
struct StatementJson {
    kind: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<usize>,
    probed: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    probes: Option<usize>,
}

impl StatementJson {
    fn new(Statement { kind, probed }: &Statement, report: &JacobianReport) -> StatementJson {
        StatementJson {
            kind: match kind {
                Kind::Zero => "zero",
                Kind::Identity => "identity",
                Kind::Permutation => "permutation",
                Kind::Selection => "selection",
                Kind::Diagonal => "diagonal",
                Kind::DiagonalPlusLowRank(_) => "diagonal-plus-low-rank",
                Kind::BlockDiagonal(_) => "block-diagonal",
                Kind::Kronecker(_) => "kronecker",
                Kind::LowRank(_) => "low-rank",
            },
            text: kind_text(kind, &report.of.1, &report.wrt.1),
            rank: match kind {
                Kind::DiagonalPlusLowRank(rank) | Kind::LowRank(rank) => Some(*rank),
                _ => None,
            },
            probed: match probed {
                Probed::Confirmed(_) => "confirmed",
                Probed::Contradicted => "contradicted",
                Probed::Unprobed => "unprobed",
            },
            probes: match probed {
                Probed::Confirmed(count) => Some(*count),
                _ => None,
            },
        }
    }
}

#[derive(Serialize)]
struct Dense<'a> {
    layout: &'static str,
    shape: &'a [usize],
    values: Values<'a>,
}
