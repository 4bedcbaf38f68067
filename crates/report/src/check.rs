//! What a check of one file found.

use pullback_check::{Arises, Judgement, Verdict};
use pullback_diagnose::Diagnosis;
use pullback_lang::Span;

use crate::elsewhere::Elsewhere;
use crate::problem::{Document, Invalid, Problem};

/// A claim with what was found of it.
#[derive(Clone, Debug)]
pub struct ClaimReport {
    /// As it is shown: `dL/dW`, `da/dW [col]`, `shape(dZ/db)`.
    pub key: String,
    /// The whole statement.
    pub span: Span,
    /// What is claimed: the right-hand side.
    pub expr_span: Span,
    /// Where its numbers come from, if no expression of the file gave them. Its spans are then those of the claim in whose
    /// place it stands, or else of the value that is differentiated by.
    pub elsewhere: Option<Elsewhere>,
    /// What is said of it.
    pub judgement: Judgement,
    /// Where the value stands that this is due to ([`Judgement::due_to`]), where it stands in the file.
    pub due_to: Option<Span>,
    /// How many operations lie, at most, between what it differentiates by and the outputs of the program.
    pub distance: usize,
    /// The wrong claims that it follows: with the verdict [`Verdict::Inherited`] it is wrong by them alone, with another one by
    /// itself too.
    pub inherits: Vec<String>,
    /// The claims of the same mistake, itself included and in the order of the file, where it stands in a definition that
    /// several use.
    pub shared_by: Vec<Sharer>,
    /// What is wrong with it: nothing, where that is not known; several, where the data does not tell them apart.
    pub diagnoses: Vec<Diagnosis>,
}

/// A claim of a mistake that several share.
#[derive(Clone, Debug)]
pub struct Sharer {
    /// As it is shown.
    pub key: String,
    /// Where its right side stands.
    pub expr_span: Span,
}

impl ClaimReport {
    /// What stands left of the `=` of the definition in which its mistake stands: `dZ`, `fn back(g, p)`.
    pub(crate) fn corrected_definition(&self) -> Option<&str> {
        match self.diagnoses.as_slice() {
            [Diagnosis { fix: Some(fix), .. }] => fix.definition.as_deref(),
            _ => None,
        }
    }

    /// The claim with which its mistake is told, where that is another one.
    pub(crate) fn told_with(&self) -> Option<&Sharer> {
        self.shared_by.first().filter(|first| first.key != self.key)
    }
}

/// A file with what was found of its claims, or with what is wrong with it.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// The file.
    pub document: Document,
    /// The name of the dump whose numbers took the place of the file's.
    pub data: Option<String>,
    /// Its claims, in the order of the file.
    pub claims: Vec<ClaimReport>,
    /// What makes it invalid.
    pub errors: Vec<Problem>,
    /// What is probably not meant.
    pub warnings: Vec<Problem>,
    /// What else is to be said of it, although nothing is wrong: each a sentence.
    pub notes: Vec<String>,
}

/// A file that cannot be checked: nothing is known of its claims.
impl From<Invalid> for FileReport {
    fn from(invalid: Invalid) -> FileReport {
        let Invalid { document, errors, warnings } = invalid;
        FileReport { document, data: None, claims: Vec::new(), errors, warnings, notes: Vec::new() }
    }
}

impl FileReport {
    /// 2 where the file is invalid, 1 where a claim does not hold, else 0.
    pub fn exit_code(&self) -> u8 {
        if !self.errors.is_empty() {
            2
        } else if self.claims.iter().all(|claim| claim.judgement.passes()) {
            0
        } else {
            1
        }
    }

    /// The first claim in backward order that is wrong by itself and does not merely inherit a mistake: the one about the
    /// value nearest to the output, and of several that are as near the first of the file.
    pub fn cause(&self) -> Option<&ClaimReport> {
        self.causes().min_by_key(|claim| claim.distance)
    }

    /// The claims that are wrong by themselves.
    fn causes(&self) -> impl Iterator<Item = &ClaimReport> {
        self.claims.iter().filter(|claim| FileReport::is_cause(claim))
    }

    /// Is a claim wrong by itself? It stays wrong where several causes fit. What is not finite in the program is none of its
    /// mistakes.
    pub(crate) fn is_cause(claim: &ClaimReport) -> bool {
        let own = match (claim.judgement.verdict, &claim.judgement.not_finite) {
            (Verdict::NotFinite, Some(found)) => found.arises == Arises::Claim,
            (verdict, _) => matches!(verdict, Verdict::Wrong | Verdict::Shape),
        };
        own || !claim.diagnoses.is_empty()
    }

    /// The claims, without those whose mistake is that of a claim before them: two that are the wrong way round are one
    /// mistake, and so is that of a definition that several use.
    pub(crate) fn mistakes(&self) -> impl Iterator<Item = &ClaimReport> {
        self.claims
            .iter()
            .enumerate()
            .filter(|(at, claim)| {
                let partners = claim.diagnoses.iter().filter_map(|found| found.partner.as_ref());
                let mut before = partners
                    .filter(|partner| self.claims[..*at].iter().any(|earlier| earlier.key == partner.claim));
                before.next().is_none() && claim.told_with().is_none()
            })
            .map(|(_, claim)| claim)
    }
}
