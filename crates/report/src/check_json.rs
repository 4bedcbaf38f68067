//! The JSON of `pullback check`; its schema is `schemas/check.json`.

use pullback_check::{Entry, Follows, Kink, NotFinite, Note, Routes};
use pullback_diagnose::Diagnosis;
use pullback_lang::{Span, print};
use serde::Serialize;

use crate::SCHEMA;
use crate::check::{ClaimReport, FileReport};
use crate::diagnosis_text::words_text;
use crate::elsewhere::Elsewhere;
use crate::not_finite_text::op_of;
use crate::number::Number;
use crate::problem::{Document, Place, ProblemJson};
use crate::verdict_text::note_text;
use crate::visible::visible_json;

/// The reports of several files as one JSON object.
pub fn check_json(files: &[FileReport]) -> String {
    let check = Check { schema: SCHEMA, files: files.iter().map(File::new).collect() };
    visible_json(serde_json::to_string(&check).expect("strings, numbers and lists have a notation"))
}

#[derive(Serialize)]
struct Check<'a> {
    schema: u32,
    files: Vec<File<'a>>,
}

#[derive(Serialize)]
struct File<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
    claims: Vec<Claim<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ProblemJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<ProblemJson<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
}

#[derive(Serialize)]
struct Claim<'a> {
    claim: &'a str,
    verdict: &'static str,
    span: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    precision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    precision_because: Option<String>,
    shape: &'a [usize],
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_shape: Option<&'a [usize]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_abs_error: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tolerance: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_in_tolerances: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    routes: Option<RoutesJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worst: Option<EntryJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kink: Option<KinkJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_finite: Option<NotFiniteJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unchanged: Option<UnchangedJson>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingJson<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    inherits: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shared_by: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnosis: Option<DiagnosisJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<DiagnosisJson<'a>>,
}

/// A note, with what kind of one it is.
#[derive(Serialize)]
struct FindingJson<'a> {
    kind: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<Place>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entries: Vec<&'a [usize]>,
}

#[derive(Serialize)]
struct DiagnosisJson<'a> {
    cause: &'a str,
    explanation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    definition: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    with: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    residual: Option<Number>,
    span: Place,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RoutesJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    autograd: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jacobian: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finite_difference: Option<Number>,
}

#[derive(Serialize)]
struct EntryJson<'a> {
    at: &'a [usize],
    claimed: Number,
    expected: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    finite_difference: Option<Number>,
}

#[derive(Serialize)]
struct KinkJson<'a> {
    at: &'a [usize],
    left: Number,
    right: Number,
    interval: [Number; 2],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ordered: bool,
    claimed: Number,
    stated: Number,
    inside: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    follows: Option<&'static str>,
    conventional: bool,
    entries: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    op: Option<OperationJson<'a>>,
}

/// What a verdict is due to.
#[derive(Serialize)]
struct OperationJson<'a> {
    name: &'a str,
    expression: String,
    at: &'a [usize],
    #[serde(skip_serializing_if = "Option::is_none")]
    convention: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<Place>,
}

#[derive(Serialize)]
struct NotFiniteJson<'a> {
    what: &'static str,
    arises_in: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    op: Option<&'static str>,
    expression: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a [usize]>,
    entry: Number,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    operands: Vec<OperandJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<Place>,
}

#[derive(Serialize)]
struct UnchangedJson {
    expression: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<Place>,
}

#[derive(Serialize)]
struct OperandJson<'a> {
    expression: &'a str,
    entry: Number,
}

impl<'a> File<'a> {
    fn new(report: &'a FileReport) -> File<'a> {
        File {
            file: &report.document.name,
            data: report.data.as_deref(),
            claims: report.claims.iter().map(|claim| Claim::new(&report.document, claim)).collect(),
            errors: ProblemJson::all(&report.document, &report.errors),
            warnings: ProblemJson::all(&report.document, &report.warnings),
            notes: &report.notes,
        }
    }
}

impl<'a> Claim<'a> {
    fn new(document: &Document, report: &'a ClaimReport) -> Claim<'a> {
        let judgement = &report.judgement;
        let mut diagnoses: Vec<DiagnosisJson<'a>> =
            report.diagnoses.iter().map(|found| DiagnosisJson::new(document, found)).collect();
        let diagnosis = if diagnoses.len() == 1 { diagnoses.pop() } else { None };
        Claim {
            claim: &report.key,
            verdict: judgement.verdict.word(),
            span: document.place(report.span),
            source: report.elsewhere.as_ref().map(|elsewhere| elsewhere.origin.word()),
            precision: report.elsewhere.as_ref().map(|elsewhere| elsewhere.precision.to_string()),
            precision_because: report.elsewhere.as_ref().map(Elsewhere::reason),
            shape: &judgement.shape,
            claimed_shape: judgement.claimed_shape.as_deref(),
            max_abs_error: judgement.max_abs_error.map(Number),
            tolerance: judgement.tolerance.map(Number),
            error_in_tolerances: judgement.error_in_tolerances.map(Number),
            routes: (judgement.routes != Routes::default()).then(|| RoutesJson::new(&judgement.routes)),
            worst: judgement.worst.as_ref().map(EntryJson::new),
            kink: judgement.kink.as_ref().map(|kink| KinkJson::new(document, kink, report.due_to)),
            not_finite: judgement
                .not_finite
                .as_ref()
                .map(|found| NotFiniteJson::new(document, found, report.due_to)),
            unchanged: judgement.unchanged.as_ref().map(|value| UnchangedJson {
                expression: value.expression(),
                span: report.due_to.map(|span| document.place(span)),
            }),
            notes: judgement.notes.iter().map(|note: &Note| note_text(note)).collect(),
            findings: judgement.notes.iter().map(|note| FindingJson::new(document, report, note)).collect(),
            inherits: &report.inherits,
            shared_by: report.shared_by.iter().map(|sharer| sharer.key.as_str()).collect(),
            diagnosis,
            candidates: diagnoses,
        }
    }
}

impl<'a> FindingJson<'a> {
    fn new(document: &Document, report: &ClaimReport, note: &'a Note) -> FindingJson<'a> {
        // Why a derivative is zero has a place.
        let is_of_place = matches!(note, Note::Zero | Note::Flat { .. });
        FindingJson {
            kind: note.kind(),
            message: note_text(note),
            span: report.due_to.filter(|_| is_of_place).map(|span| document.place(span)),
            entries: note.entries().into_iter().collect(),
        }
    }
}

impl<'a> DiagnosisJson<'a> {
    fn new(document: &Document, found: &'a Diagnosis) -> DiagnosisJson<'a> {
        let fix = found.fix.as_ref();
        DiagnosisJson {
            cause: found.cause,
            explanation: words_text(&found.explanation),
            definition: fix.and_then(|fix| fix.definition.as_deref()),
            with: found.partner.as_ref().map(|partner| partner.claim.as_str()),
            fix: fix.map(|fix| print(&fix.expr)),
            residual: fix.and_then(|fix| fix.residual).map(Number),
            span: document.place(found.span),
        }
    }
}

impl RoutesJson {
    fn new(routes: &Routes) -> RoutesJson {
        RoutesJson {
            autograd: routes.autograd.map(Number),
            jacobian: routes.jacobian.map(Number),
            finite_difference: routes.finite_difference.map(Number),
        }
    }
}

impl<'a> EntryJson<'a> {
    fn new(entry: &'a Entry) -> EntryJson<'a> {
        EntryJson {
            at: &entry.at,
            claimed: Number(entry.claimed),
            expected: Number(entry.expected),
            finite_difference: entry.difference.map(Number),
        }
    }
}

impl<'a> KinkJson<'a> {
    fn new(document: &Document, kink: &'a Kink, due_to: Option<Span>) -> KinkJson<'a> {
        KinkJson {
            at: &kink.at,
            left: Number(kink.left),
            right: Number(kink.right),
            interval: kink.interval().map(Number),
            ordered: kink.ordered,
            claimed: Number(kink.claimed),
            stated: Number(kink.stated),
            inside: kink.inside,
            follows: kink.follows.map(Follows::word),
            conventional: kink.conventional,
            entries: kink.entries,
            op: kink.origin.as_ref().map(|origin| OperationJson {
                name: origin.op,
                expression: origin.value.expression(),
                at: &origin.at,
                convention: origin.convention.as_deref(),
                span: due_to.map(|span| document.place(span)),
            }),
        }
    }
}

impl<'a> NotFiniteJson<'a> {
    fn new(document: &Document, found: &'a NotFinite, due_to: Option<Span>) -> NotFiniteJson<'a> {
        let operands = found.operands.iter();
        NotFiniteJson {
            what: found.what.word(),
            arises_in: found.arises.word(),
            op: op_of(found),
            expression: found.value.expression(),
            at: (found.at.len() == found.value.ndim()).then_some(&found.at),
            entry: Number(found.entry),
            operands: operands
                .map(|operand| OperandJson { expression: &operand.expression, entry: Number(operand.entry) })
                .collect(),
            span: due_to.map(|span| document.place(span)),
        }
    }
}
