//! The connectionist temporal classification loss of one sequence: the negative logarithm of the probability of all alignments.
//!
//! # Formula
//! y = −log Σ_π Π_t exp(z_(t, π_t)) over all paths π that are the target once repetitions and blanks are left out
//!
//! # Jacobian
//! ∂y/∂z_tc is minus the share of the paths that are at the class c at time t.
//!
//! # Domain
//! The scores are logarithms of probabilities, `[times, classes]`, as `log_softmax` makes them; the target is a list of classes without blanks that
//! is no longer than there is time for it. Longer input is cut by a slice.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: the forward recursion of Graves over the target with blanks around each class, where a step stays, goes on, or leaves out
//! a blank between different classes.

use pullback_array::{Array, DType};

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "ctc_loss(z, target: indices, blank: count = 0)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| args.value("z")?.ctc_loss(&args.value("target")?, args.count("blank", 0)?),
    samples: || {
        vec![
            Sample::normal("ctc_loss: a repeated class", [&[5, 3]], |x| {
                x[0].ctc_loss(&Val::new(Array::from_slice(&[2], &[1i64, 1])?), 0)
            }),
            Sample::normal("ctc_loss: as long as there is time", [&[3, 4]], |x| {
                x[0].ctc_loss(&Val::new(Array::from_slice(&[3], &[1i64, 3, 2])?), 0)
            }),
        ]
    },
};

/// The logarithm of a probability that is none, far below that of any path. Its exponential is 0, and it may be added to without becoming NaN.
const NEVER: f64 = -1e6;

impl Val {
    /// The loss of logarithms of probabilities, `[times, classes]`, for a list of classes.
    ///
    /// # Errors
    /// Where the target holds no classes, or the times are too few.
    pub fn ctc_loss(&self, target: &Val, blank: usize) -> Result<Val> {
        let [times, classes] = self.dims() else {
            return Err(Error::new(format!("ctc_loss: {:?} is not [times, classes]", self.dims())));
        };
        if target.ndim() != 1 || target.dtype() != DType::I64 {
            return Err(Error::new(format!("ctc_loss: a target of {} {:?}", target.dtype(), target.dims()))
                .with_hint("it is a list of classes; each sequence of a batch has a loss of its own"));
        }
        let labels = target.array()?.to_vec_i64()?;
        let is_class = |label: &i64| (0..classes.size() as i64).contains(label) && *label != blank as i64;
        if blank >= classes.size() || !labels.iter().all(is_class) {
            return Err(Error::new(format!(
                "ctc_loss: classes from 0 to {}, without the blank {blank}",
                classes.size()
            )));
        }
        let repeated = labels.windows(2).filter(|pair| pair[0] == pair[1]).count();
        if times.size() < (labels.len() + repeated).max(1) {
            return Err(Error::new(format!(
                "ctc_loss: {} times are too few for a target of {} with {repeated} repetitions",
                times.size(),
                labels.len()
            )));
        }
        // Blanks around each class, and where one between different classes may be left out.
        let path: Vec<i64> = (0..2 * labels.len() + 1)
            .map(|at| if at % 2 == 1 { labels[at / 2] } else { blank as i64 })
            .collect();
        let size = path.len();
        let leaps = |at: usize| at >= 2 && path[at] != blank as i64 && path[at] != path[at - 2];
        let numbers = |of: &dyn Fn(usize) -> f64| -> Result<Val> {
            Ok(Val::new(Array::from_vec(&[size], (0..size).map(of).collect())?.cast(self.dtype())?))
        };
        let first = numbers(&|at| if at < 2 { 0.0 } else { NEVER })?.named("start");
        let held = numbers(&|at| if leaps(at) { 0.0 } else { NEVER })?.named("held");
        let scores = self.gather(&Val::new(Array::from_slice(&[size], &path)?), 1)?.unbind(0)?;
        let mut reached = (&first + &scores[0])?;
        for score in &scores[1..] {
            let gone = reached.pad(&[(1, -1)], NEVER)?;
            let leapt = if size > 1 { (&reached.pad(&[(2, -2)], NEVER)? + &held)? } else { reached.clone() };
            let ways = if size > 1 { vec![&reached, &gone, &leapt] } else { vec![&reached] };
            reached = (&Val::stack(&ways, 0)?.logsumexp(&[0], false)? + score)?;
        }
        let ends = size.min(2);
        reached.narrow(0, -(ends as i64), ends)?.logsumexp(&[0], false)?.negated()
    }
}
