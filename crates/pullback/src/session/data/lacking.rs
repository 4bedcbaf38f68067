//! What is not there: claims of a file, gradients of a dump. What judges nothing does not succeed.

use std::collections::HashMap;

use pullback_autograd::pullback;
use pullback_check::Judgement;
use pullback_diagnose::{Diagnosis, Words};
use pullback_lang::program::{Claim, Program, Value, ValueKind};
use pullback_lang::{File, Span, StatementKind};
use pullback_ops::Val;
use pullback_report::{ClaimReport, Elsewhere, FileReport, Origin, Problem};

use super::super::run::Loss;
use super::{Data, Terms, origin};

/// A file without claims: nothing could be judged. The hint writes one of its own derivatives.
pub(in super::super) fn claims_nothing(program: &Program) -> Problem {
    let of_kind = |kind| program.values.iter().filter(move |value: &&Value| value.kind == kind);
    let of = Loss::of(program)
        .map(|loss| loss.name.to_string())
        .or_else(|| of_kind(ValueKind::Definition).next_back().map(|value| value.name.clone()));
    let wrt = of_kind(ValueKind::Input).find(|input| input.val.dtype().is_float());
    let example = match (of, wrt) {
        (Some(of), Some(wrt)) => format!("d{of}/d{}", wrt.name),
        _ => "dL/dx".to_string(),
    };
    Problem::new("the file claims nothing: there is nothing to judge").with_hint(format!(
        "a claim is a statement whose left side is a derivative: `{example} = …`; numbers of other code are judged with `--data`"
    ))
}

/// What is to be said where a dump has no gradient.
pub(super) fn how_gradients_are_named() -> &'static str {
    "it is judged what stands under the name of a derivative, as `dL/dx`, `dL_dx` or `x.grad`"
}

/// The gradients that a dump lacks: those of the loss by inputs that it depends on.
#[derive(Clone, Default)]
pub(in super::super) struct Lacking {
    missing: Vec<Missing>,
    origin: Option<Origin>,
}

#[derive(Clone)]
struct Missing {
    key: String,
    /// Where the input is bound.
    span: Span,
    shape: Vec<usize>,
    /// Is it worth a note? Not where the file itself claims what it is.
    noted: bool,
}

impl Lacking {
    /// What a program, to which the gradients of a dump have been added as claims, is lacking.
    pub(in super::super) fn of(
        program: &Program,
        elsewhere: &HashMap<usize, Elsewhere>,
        file: &File,
        data: &Data<'_>,
    ) -> Lacking {
        let Some(loss) = Loss::of(program) else { return Lacking::default() };
        let told = |input: &Value, is_one: &dyn Fn(usize) -> bool| {
            let is_it = |claim: &Claim| claim.of_name == loss.name && claim.wrt_names == [input.name.clone()];
            program.claims.iter().enumerate().any(|(number, claim)| is_one(number) && is_it(claim))
        };
        let inputs: Vec<&Value> = program
            .values
            .iter()
            .filter(|value| value.kind == ValueKind::Input && value.val.dtype().is_float())
            .filter(|input| !told(input, &|number| elsewhere.contains_key(&number)))
            .filter(|input| !is_number(file, input))
            .collect();
        let wrt: Vec<&Val> = inputs.iter().map(|input| &input.val).collect();
        let outputs: Vec<(&Val, &Val)> = loss.cotangents.iter().map(|(of, by)| (of, by)).collect();
        // Where that fails the claims say so.
        let Ok(pulled) = pullback(&outputs, &wrt, &[]) else { return Lacking::default() };
        let missing =
            inputs.iter().zip(pulled).filter(|(_, path)| path.is_some()).map(|(input, _)| Missing {
                key: format!("d{}/d{}", loss.name, input.name),
                span: input.span,
                shape: input.val.shape(),
                // Where the dump has no gradient at all, that is said already.
                noted: !elsewhere.is_empty() && !told(input, &|_| true),
            });
        Lacking { missing: missing.collect(), origin: Some(origin(data.name)) }
    }

    /// The report with what is missing: a note, or claims that are wrong where all was to be there.
    pub(in super::super) fn added_to(self, report: FileReport, terms: &Terms) -> FileReport {
        let Some(origin) = self.origin else { return report };
        if !terms.complete {
            let unjudged = self.missing.iter().filter(|missing| missing.noted);
            let keys: Vec<&str> = unjudged.map(|missing| missing.key.as_str()).collect();
            if keys.is_empty() {
                return report;
            }
            let note =
                format!("{origin} has no {}; with `--complete` what is missing is wrong", keys.join(", "));
            return FileReport { notes: [report.notes, vec![note]].concat(), ..report };
        }
        let wrong = self.missing.into_iter().map(|missing| missing.wrong(&origin));
        FileReport { claims: report.claims.into_iter().chain(wrong).collect(), ..report }
    }
}

impl Missing {
    fn wrong(self, origin: &Origin) -> ClaimReport {
        let Missing { key, span, shape, .. } = self;
        let explanation = Words::new()
            .say(format!("{origin} has no "))
            .source(key.as_str())
            .say(", which is not zero by construction.");
        ClaimReport {
            span,
            expr_span: span,
            elsewhere: None,
            judgement: Judgement::of_missing(shape),
            due_to: None,
            distance: usize::MAX,
            inherits: Vec::new(),
            shared_by: Vec::new(),
            diagnoses: vec![Diagnosis {
                cause: "missing-gradient",
                label: Words::new().say("the gradient by this is missing"),
                explanation,
                span,
                partner: None,
                fix: None,
            }],
            key,
        }
    }
}

/// Is this a number to which the file gives a name, `eps = 1e-5`? Hardly anybody computes a gradient by one.
fn is_number(file: &File, input: &Value) -> bool {
    let is_it = |kind: &StatementKind| match kind {
        StatementKind::Input(stated) => stated.name.text == input.name && stated.shape.is_none(),
        _ => false,
    };
    input.val.ndim() == 0 && file.statements.iter().any(|statement| is_it(&statement.kind))
}
