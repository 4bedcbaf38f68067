//! The life of a claim: text → program in the file's precision → the same program in double precision on the rounded
//! inputs → the claimed numbers held against the routes → a verdict → what is wrong, where something is.

use std::collections::HashMap;
use std::path::Path;

use pullback_array::{Array, DType, Precision};
use pullback_check::{
    Causes, Claim as Numbers, Entry, Judgement, Note, OtherData, Survey, Verdict, judge_in, judge_shape,
};
use pullback_diagnose::{
    Doubt, Other, as_maps, degenerate, diagnose, distances, doubts, flat, inherited, layout, on_other_draws,
    resting, sharing, subject,
};
use pullback_lang::program::{Claim, Claimed, Inputs, Program};
use pullback_lang::{Expr, Layout, MAX_ERRORS, Span, print};
use pullback_ops::Val;
use pullback_report::{ClaimReport, Elsewhere, FileReport, Invalid, Problem, Sharer};

use super::data::{Data, Lacking, Sorted, Terms, claims_nothing, deviations, is_zero};
use super::{Opened, problems};

/// Judges every claim of a file. `name` is what the report calls it.
pub fn check_source(name: &str, bytes: &[u8], base_dir: &Path) -> FileReport {
    check_watched(name, bytes, base_dir, None, &mut |_| {})
}

/// The same, with numbers of other code in place of the file's: of its inputs and given cotangents, at other sizes where the
/// file names them, and of gradients, which are judged in place of what the file claims.
///
/// ```
/// use pullback::array::file::Dump;
/// use pullback::check::Verdict;
/// use pullback::session::{Data, check_dump};
///
/// let source = "x: [n=3] ~ randn; L = sum(x^2); dL/dx = 2 * x";
/// // {"x": [1, 2], "dL/dx": [2, 5]} as safetensors.
/// # let header = br#"{"dL/dx":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
/// # let numbers: Vec<u8> = [1.0f32, 2.0, 2.0, 5.0].iter().flat_map(|x| x.to_le_bytes()).collect();
/// # let bytes = [&(header.len() as u64).to_le_bytes()[..], header, &numbers].concat();
/// let dump = Dump::from_bytes("dump.safetensors", bytes)?;
/// let data = Data { name: "dump.safetensors", dump: &dump };
/// let report = check_dump("square.grad", source.as_bytes(), ".".as_ref(), &data);
/// assert_eq!(report.claims[0].judgement.verdict, Verdict::Wrong);
/// # Ok::<(), pullback::array::Error>(())
/// ```
pub fn check_dump(name: &str, bytes: &[u8], base_dir: &Path, data: &Data<'_>) -> FileReport {
    check_watched(name, bytes, base_dir, Some(data), &mut |_| {})
}

/// The same, with `watch` told the key of each claim before it is judged.
pub fn check_watched(
    name: &str,
    bytes: &[u8],
    base_dir: &Path,
    data: Option<&Data<'_>>,
    watch: &mut dyn FnMut(&str),
) -> FileReport {
    check_as(name, bytes, base_dir, data, &Terms::default(), watch)
}

/// The same on terms that the caller states.
pub fn check_as(
    name: &str,
    bytes: &[u8],
    base_dir: &Path,
    data: Option<&Data<'_>>,
    terms: &Terms,
    watch: &mut dyn FnMut(&str),
) -> FileReport {
    let report = match Checked::new(name, bytes, base_dir, data, terms) {
        Ok(checked) => {
            let lacking = checked.lacking.clone();
            lacking.added_to(judged(checked, base_dir, terms, &|_| (), watch), terms)
        }
        Err(invalid) => FileReport::from(invalid),
    };
    FileReport { data: data.map(|data| data.name.to_string()), ..report }
}

/// What is judged: a file in its own precision and in double precision, and which of its claims are numbers of other code.
pub(super) struct Checked {
    pub(super) opened: Opened,
    pub(super) exact: Program,
    /// By the number of the claim.
    pub(super) elsewhere: HashMap<usize, Elsewhere>,
    /// The gradients that a dump lacks.
    pub(super) lacking: Lacking,
}

impl Checked {
    pub(super) fn new(
        name: &str,
        bytes: &[u8],
        base_dir: &Path,
        data: Option<&Data<'_>>,
        terms: &Terms,
    ) -> Result<Checked, Invalid> {
        let (document, file, warnings) = Opened::parsed(name, bytes)?;
        let Some(data) = data else {
            let opened = Opened::elaborated(document, file, warnings, &Inputs::default(), base_dir)?;
            let checked = Checked::exactly(opened, base_dir)?;
            return match checked.exact.claims.is_empty() {
                true => Err(checked.opened.invalid(vec![claims_nothing(&checked.exact)])),
                false => Ok(checked),
            };
        };
        let mut sorted = match Sorted::new(&file, data, terms) {
            Ok(sorted) => sorted,
            Err(errors) => return Err(Invalid { document, errors, warnings }),
        };
        let warnings = [warnings, sorted.warnings.clone()].concat();
        let mut opened =
            Opened::elaborated(document, sorted.file.clone(), warnings, &sorted.inputs, base_dir)?;
        // The file's own precision may be less than that of the dump, whose numbers are judged on the inputs that were used.
        for (name, array) in sorted.inputs.iter() {
            opened.inputs.set(name, array.clone());
        }
        let mut checked = Checked::exactly(opened, base_dir)?;
        let mut stated = sorted.claim(&mut checked.exact);
        if checked.opened.program.dtype == DType::F64 {
            // They are one program.
            checked.opened.program = checked.exact.clone();
        } else {
            stated = sorted.claim(&mut checked.opened.program).and(stated);
        }
        if let Ok(elsewhere) = &mut stated {
            sorted.recognise(&checked.exact, terms, elsewhere);
        }
        if let Err(problem) = deviations(&sorted, &checked.exact) {
            return Err(checked.opened.invalid(vec![problem]));
        }
        match stated {
            Ok(elsewhere) => {
                let lacking = Lacking::of(&checked.exact, &elsewhere, &file, data);
                Ok(Checked { elsewhere, lacking, ..checked })
            }
            Err(errors) => Err(checked.opened.invalid(errors)),
        }
    }

    /// A file whose values can be evaluated; no claim of it comes from elsewhere.
    pub(super) fn exactly(opened: Opened, base_dir: &Path) -> Result<Checked, Invalid> {
        if let Err(problem) = opened.try_out() {
            return Err(opened.invalid(vec![problem]));
        }
        match opened.exact(base_dir) {
            Ok(exact) => {
                Ok(Checked { opened, exact, elsewhere: HashMap::new(), lacking: Lacking::default() })
            }
            Err(errors) => Err(opened.invalid(problems(&errors))),
        }
    }
}

/// Judges all claims. `on_other_data` adds to the program on other data those that are no expressions of the file.
pub(super) fn judged(
    checked: Checked,
    base_dir: &Path,
    terms: &Terms,
    on_other_data: &dyn Fn(&mut Program),
    watch: &mut dyn FnMut(&str),
) -> FileReport {
    let Checked { opened, exact, mut elsewhere, .. } = checked;
    let (mut judged, errors) = verdicts(&opened.program, &exact, &elsewhere, watch);
    as_maps(&exact, &mut judged);
    on_other_draws(&opened.file, &exact, &opened.inputs, base_dir, &mut judged);
    let mut inherits = inherited(&exact, opened.program.dtype, &mut judged);
    let mut rests_on = resting(&exact, opened.program.dtype, &judged);
    let mut found = match terms.verdicts_only {
        true => vec![Vec::new(); judged.len()],
        false => diagnose(&opened.file, &exact, &opened.inputs, base_dir, &judged, on_other_data),
    };
    let mut hidden = degenerate(&opened.file, &exact, &opened.inputs, base_dir, &judged);
    let mut doubted = doubts(&opened.file, &exact, &opened.inputs, base_dir, &judged);
    let (sharing, distances) = (sharing(&found), distances(&exact));
    let mut claims = Vec::new();
    for (number, judgement) in judged.into_iter().enumerate() {
        let (Some(mut judgement), claim) = (judgement, &exact.claims[number]) else { continue };
        let mut diagnoses = std::mem::take(&mut found[number]);
        let rests_on = std::mem::take(&mut rests_on[number]);
        judgement.notes.extend((!rests_on.is_empty()).then_some(Note::RestsOn(rests_on)));
        judgement.notes.append(&mut hidden[number]);
        if let Some(Doubt { off, by, diagnosis }) = doubted[number].take() {
            match by {
                Other::Sizes => {
                    let fix = diagnosis.and_then(|found| found.fix).filter(|fix| fix.definition.is_none());
                    let right = fix.map(|fix| print(&fix.expr));
                    judgement.notes.push(Note::OffAtOtherSizes { share: off, right });
                }
                Other::Signs => judgement.notes.push(Note::OffAtOtherSigns(off)),
                Other::Numbers => {
                    judgement.notes.push(Note::OffElsewhere(off));
                    if let Some(diagnosis) = diagnosis {
                        judgement.facts.other_data = OtherData::Doubtful;
                        diagnoses.push(diagnosis);
                    }
                }
            }
        }
        let known = diagnoses.iter().filter(|found| found.cause != "unknown").count();
        judgement.facts.causes = match (&claim.claimed, known) {
            // Of a claim about a shape it is the shape that is wrong.
            (Claimed::Shape(_), _) | (_, 0) => Causes::None,
            (_, 1) => Causes::One,
            _ => Causes::Several,
        };
        judgement.conclude();
        if judgement.notes.iter().any(|note| matches!(note, Note::NoPath | Note::Zero)) {
            judgement.notes.extend(flat(claim));
        }
        let inherits = std::mem::take(&mut inherits[number]);
        let (key, span, expr_span) = (claim.key.clone(), claim.span, claim.expr_span);
        let elsewhere = elsewhere.remove(&number);
        let places = [&opened.program, &exact];
        let due_to = judgement.due_to().and_then(|val| places.iter().find_map(|program| program.place(val)));
        let sharer = |&number: &usize| {
            let claim = &exact.claims[number];
            Sharer { key: claim.key.clone(), expr_span: claim.expr_span }
        };
        let shared_by = sharing[number].iter().map(sharer).collect();
        claims.push(ClaimReport {
            key,
            span,
            expr_span,
            elsewhere,
            judgement,
            due_to,
            distance: distances[number],
            inherits,
            shared_by,
            diagnoses,
        });
    }
    let Opened { document, warnings, .. } = opened;
    FileReport { data: None, claims, errors, warnings, notes: Vec::new(), document }
}

/// What is said of each claim, nothing of one that cannot be judged; and the problems of those.
fn verdicts(
    program: &Program,
    exact: &Program,
    elsewhere: &HashMap<usize, Elsewhere>,
    watch: &mut dyn FnMut(&str),
) -> (Vec<Option<Judgement>>, Vec<Problem>) {
    let asked = asked(program, exact, elsewhere);
    let claims = asked.iter().zip(&exact.claims).filter_map(|(asked, claim)| match asked {
        Ok(Asked::Numbers(claimed) | Asked::Stated(claimed, _)) => Some((subject(claim), claimed)),
        _ => None,
    });
    // Where that fails each claim is judged by itself, and what fails is told in its place.
    let survey = Survey::new(&claims.collect::<Vec<_>>()).unwrap_or_default();
    let (mut judged, mut errors) = (Vec::new(), Vec::new());
    for (asked, claim) in asked.into_iter().zip(&exact.claims) {
        if errors.len() == MAX_ERRORS {
            break;
        }
        watch(&claim.key);
        match asked.and_then(|asked| asked.judged(&survey, claim)) {
            Ok(judgement) => judged.push(Some(judgement)),
            Err(problem) => {
                errors.push(problem);
                judged.push(None);
            }
        }
    }
    judged.resize(exact.claims.len(), None);
    (judged, errors)
}

/// What is claimed, ready to be judged.
enum Asked<'a> {
    Shape(Vec<usize>),
    /// Numbers of other code.
    Numbers(Numbers),
    /// Those of an expression of the file, and what they are those of.
    Stated(Numbers, Stated<'a>),
}

/// An expression of the file: in its own precision, and in double precision.
#[derive(Clone, Copy)]
struct Stated<'a> {
    array: &'a Array,
    value: &'a Val,
    expression: &'a Val,
    layout: Layout,
    zeros: bool,
}

impl Stated<'_> {
    fn with(self, numbers: Numbers) -> Numbers {
        numbers.in_layout(layout(self.layout)).written_as_zeros(self.zeros)
    }
}

/// What each claim claims; a problem where its expression cannot be evaluated.
fn asked<'a>(
    program: &'a Program,
    exact: &'a Program,
    elsewhere: &HashMap<usize, Elsewhere>,
) -> Vec<Result<Asked<'a>, Problem>> {
    let expressions: Vec<Option<Result<Stated<'a>, Problem>>> = exact
        .claims
        .iter()
        .enumerate()
        .map(|(number, claim)| match elsewhere.contains_key(&number) {
            true => None,
            false => stated(program, program.claims.get(number)?, exact, claim),
        })
        .collect();
    // What expressions share is gone through once for all of one precision.
    let pairs: Vec<(&Array, &Val)> = expressions
        .iter()
        .flatten()
        .filter_map(|found| found.as_ref().ok())
        .map(|stated| (stated.array, stated.expression))
        .collect();
    let is_of_one = pairs.windows(2).all(|pair| pair[0].0.dtype() == pair[1].0.dtype());
    let mut together = match is_of_one {
        true => Numbers::evaluated_all(&pairs).unwrap_or_default(),
        false => Vec::new(),
    }
    .into_iter();
    let of = |((number, claim), found): ((usize, &Claim), Option<Result<Stated<'a>, Problem>>)| {
        let at = |span: Span| move |error: pullback_ops::Error| Problem::of_operation(&error, span);
        match (found, &claim.claimed) {
            (Some(found), _) => {
                let stated = found?;
                let at = at(claim.expr_span);
                let numbers = match (together.next(), claim.expr.as_ref().is_some_and(Expr::is_literal)) {
                    // Results that somebody wrote down: what they were computed by is not known.
                    (_, true) => {
                        Numbers::numbers(stated.array, Precision::of(stated.array.dtype())).map_err(at)?
                    }
                    (Some(numbers), false) => numbers,
                    (None, false) => Numbers::evaluated(stated.array, stated.expression).map_err(at)?,
                };
                Ok(Asked::Stated(stated.with(numbers).computed_by(stated.value), stated))
            }
            (None, Claimed::Value { val, .. }) => match elsewhere.get(&number) {
                Some(elsewhere) => {
                    let numbers = val.array().map_err(at(claim.span))?;
                    let claimed = Numbers::numbers(numbers, elsewhere.precision).map_err(at(claim.span))?;
                    // Such as are all zero say that the derivative is.
                    Ok(Asked::Numbers(claimed.written_as_zeros(is_zero(numbers))))
                }
                None => Err(Problem::new("a claim about a shape in one precision is none in another")),
            },
            (None, Claimed::Shape(_)) if elsewhere.contains_key(&number) => {
                Err(Problem::new("numbers are no claim about a shape"))
            }
            (None, Claimed::Shape(shape)) => Ok(Asked::Shape(shape.clone())),
        }
    };
    exact.claims.iter().enumerate().zip(expressions).map(of).collect()
}

/// The numbers of an expression in the file's precision, and the expression. `None`: it is a claim about a shape.
fn stated<'a>(
    program: &'a Program,
    stated: &'a Claim,
    exact: &'a Program,
    claim: &'a Claim,
) -> Option<Result<Stated<'a>, Problem>> {
    let (Claimed::Value { val: value, layout, zeros }, Claimed::Value { val: expression, .. }) =
        (&stated.claimed, &claim.claimed)
    else {
        return None;
    };
    let found = program.array(value, claim.expr_span).and_then(|array| {
        exact.array(expression, claim.expr_span)?;
        Ok(Stated { array, value, expression, layout: *layout, zeros: *zeros })
    });
    Some(found.map_err(|error| Problem::from(&error)))
}

impl Asked<'_> {
    /// What is said of it; a problem where the derivative cannot be evaluated.
    fn judged(self, survey: &Survey, claim: &Claim) -> Result<Judgement, Problem> {
        let at = |span: Span| move |error: pullback_ops::Error| Problem::of_operation(&error, span);
        let judge = |claimed: &Numbers| judge_in(survey, &subject(claim), claimed).map_err(at(claim.span));
        let (claimed, stated) = match self {
            Asked::Shape(shape) => return Ok(judge_shape(&subject(claim), &shape)),
            Asked::Numbers(claimed) => return judge(&claimed),
            Asked::Stated(claimed, stated) => (claimed, stated),
        };
        let judged = judge(&claimed)?;
        let is_off = matches!(judged.verdict, Verdict::Wrong | Verdict::Ambiguous) || !judged.facts.digits;
        if !is_off || stated.value.dtype() != DType::F32 {
            return Ok(judged);
        }
        // A formula that is right in f64 is right, whatever becomes of its numbers in fewer digits.
        let exactly = Numbers::of(stated.expression).map_err(at(claim.expr_span))?;
        let mut right = judge(&stated.with(exactly))?;
        // And one that is wrong there is wrong where fewer digits tell nothing, by more than a number of the file has digits for.
        let is_told = |entry: &Entry| {
            let held = f64::from(f32::EPSILON) * entry.claimed.abs().max(entry.expected.abs());
            (entry.claimed - entry.expected).abs() > held
        };
        if !judged.facts.digits
            && right.verdict == Verdict::Wrong
            && right.worst.as_ref().is_some_and(is_told)
        {
            return Ok(right);
        }
        if !right.passes() {
            return Ok(judged);
        }
        right.notes.push(Note::Narrow { error: judged.max_abs_error.unwrap_or(f64::INFINITY) });
        Ok(right)
    }
}
