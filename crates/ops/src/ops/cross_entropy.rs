//! The cross-entropy of logits, the mean over all rows.
//!
//! # Formula
//! y = 1/N Σ_n (logsumexp(z_n) − Σ_c t_nc z_nc); a target of integers stands for the rows that are 1 there and 0 elsewhere
//!
//! # Jacobian
//! ∂y/∂z_nc = (softmax(z_n)_c − t_nc) / N, where each row of t adds up to 1
//!
//! # Domain
//! All reals. Classes are the last axis, or `axis`; integers are classes, from 0 on. Rows of a target that adds up to 1. `weight` is one
//! number for each class, and the mean is one of weights then; rows whose class is `ignore_index` count nothing; smoothing spreads a share
//! of each row over all classes. All as in PyTorch, whose classes are axis 1.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: −Σ t log softmax(z), where the logarithm of the softmax is z − logsumexp(z). The slope of logsumexp is the softmax.
//! Elements of classes are selected, so that the others may be −∞, and there may be many.

use pullback_array::{Array, DType};

use super::nll_loss::classes;
use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "cross_entropy(z, target: indices, weight = none, ignore_index: integer = -100, reduction: mean|sum|none = mean, label_smoothing: number = 0, axis: axis = -1)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let z = args.value("z")?;
        z.cross_entropy_of(&args.value("target")?, &classes(args, &z)?)
    },
    samples: || {
        vec![
            Sample::normal("cross_entropy: soft targets", [&[3, 4], &[3, 4]], |x| {
                x[0].cross_entropy(&x[1].softmax(1)?)
            }),
            Sample::normal("cross_entropy: classes", [&[3, 4]], |x| {
                x[0].cross_entropy(&Val::new(Array::from_slice(&[3], &[2i64, 0, 2])?))
            }),
            Sample::normal("cross_entropy: one row", [&[4]], |x| {
                x[0].cross_entropy(&Val::new(Array::from_slice(&[], &[1i64])?))
            }),
            Sample::normal("cross_entropy: weighed, smoothed, one ignored", [&[2, 4, 2], &[4]], |x| {
                let target = Val::new(Array::from_slice(&[2, 2], &[2i64, 0, -100, 3])?);
                let weight = Some(x[1].powf(2.0)?);
                let how = Classes { weight, smoothing: 0.1, axis: Some(1), ..Classes::default() };
                x[0].cross_entropy_of(&target, &how)
            }),
        ]
    },
};

/// What is said of the classes of a loss.
#[derive(Debug, Clone)]
pub struct Classes {
    /// A number for each class.
    pub weight: Option<Val>,
    /// The class whose rows count nothing.
    pub ignored: i64,
    /// The share of each row that is spread over all classes.
    pub smoothing: f64,
    /// `mean`, `sum` or `none`.
    pub reduction: &'static str,
    /// The axis of the classes; the last one where nothing is said.
    pub axis: Option<usize>,
}

impl Default for Classes {
    fn default() -> Classes {
        Classes { weight: None, ignored: -100, smoothing: 0.0, reduction: "mean", axis: None }
    }
}

/// Classes that are integers, one in each row: no table is made of all of them.
pub(super) struct Selected {
    /// The elements of `z` there.
    pub own: Val,
    /// 1 for each row that counts and 0 for one that is ignored, where there is any.
    counted: Option<Val>,
    /// What each row counts for, where that is not 1: the weight of its class.
    weights: Option<Val>,
}

impl Selected {
    /// `None`: the target holds shares.
    pub(super) fn of(op: &str, z: &Val, target: &Val, how: &Classes) -> Result<Option<Selected>> {
        let is_class = target.dtype() == DType::I64
            && z.dims().split_last().is_some_and(|(_, rows)| target.dims() == rows);
        if !is_class {
            return Ok(None);
        }
        let (places, counted) = places(op, z, target, how)?;
        let weights = match &how.weight {
            None => counted.clone(),
            Some(weight) => {
                fits(op, weight, z)?;
                let of_class = weight.gather(&places, 0)?;
                Some(counted.as_ref().map_or(Ok(of_class.clone()), |counted| &of_class * counted)?)
            }
        };
        Ok(Some(Selected { own: z.pick(&places, target.ndim())?, counted, weights }))
    }

    /// Rows, each for what it counts.
    pub(super) fn weighed(&self, rows: &Val) -> Result<Val> {
        self.weights.as_ref().map_or(Ok(rows.clone()), |weights| rows * weights)
    }

    /// What a mean is over, where it is not the number of rows.
    pub(super) fn total(&self) -> Result<Option<Val>> {
        self.weights.as_ref().map(Val::sum_all).transpose()
    }
}

/// The classes of a target, and which of its rows count, where some do not.
fn places(op: &str, z: &Val, target: &Val, how: &Classes) -> Result<(Val, Option<Val>)> {
    let classes = target.array()?.to_vec_i64()?;
    let is_ignored = |class: &i64| *class == how.ignored;
    let count = z.dims()[z.ndim() - 1].size() as i64;
    if let Some(class) = classes.iter().find(|class| !is_ignored(class) && !(0..count).contains(class)) {
        return Err(Error::new(format!("{op}: the class {class} is none of {count}")).with_hint(format!(
            "classes are 0 to {}; rows of the class `ignore_index`, {} here, do not count",
            count - 1,
            how.ignored
        )));
    }
    if !classes.iter().any(is_ignored) {
        return Ok((target.clone(), None));
    }
    // What is not counted may be any class.
    let places = classes.iter().map(|class| if is_ignored(class) { 0 } else { *class }).collect();
    let counted = classes.iter().map(|class| if is_ignored(class) { 0.0 } else { 1.0 }).collect::<Vec<f64>>();
    let places = Val::with_dims(Array::from_vec(&target.shape(), places)?, target.dims())?;
    let counted = Array::from_vec(&target.shape(), counted)?.cast(z.dtype())?;
    let counted = Val::with_dims(counted, target.dims())?;
    Ok(match target.name().filter(|name| name.is_identifier()) {
        Some(t) => (
            places.named(&format!("where({t} == {}, 0, {t})", how.ignored)),
            Some(counted.named(&format!("({t} != {})", how.ignored))),
        ),
        None => (places, Some(counted)),
    })
}

/// Is there a weight for each class?
fn fits(op: &str, weight: &Val, z: &Val) -> Result<()> {
    let classes = &z.dims()[z.ndim() - 1..];
    match weight.dims() == classes {
        true => Ok(()),
        false => Err(Error::new(format!(
            "{op}: weights of shape {:?} for the classes of {classes:?}",
            weight.dims()
        ))),
    }
}

/// The shares that a target gives to the classes of each row of `z`, as they are, and times the weights of the classes.
pub(super) fn shares_of(op: &str, z: &Val, target: &Val, how: &Classes) -> Result<(Val, Val)> {
    let Some((_, rows)) = z.dims().split_last() else {
        return Err(Error::new(format!("{op}: a scalar has no classes")));
    };
    if target.dims() != z.dims() {
        return Err(Error::new(format!(
            "{op}: a target of shape {:?} does not fit logits of shape {:?}",
            target.dims(),
            z.dims()
        ))
        .with_hint(format!("it is of that shape, or holds integers and has the shape {rows:?}; `axis` names that of the classes")));
    }
    // Shares that happen to be whole numbers.
    let is_whole = target.dtype() == DType::I64;
    let shares = if is_whole { (target * &Val::number(1.0, z.dtype()))? } else { target.clone() };
    let Some(weight) = &how.weight else { return Ok((shares.clone(), shares)) };
    fits(op, weight, z)?;
    let weighted = (&shares * weight)?;
    Ok((shares, weighted))
}

/// The mean of rows, or their sum, or all of them; `total` is what a mean is over, where it is not their number.
pub(super) fn reduced(rows: &Val, total: Option<&Val>, how: &Classes) -> Result<Val> {
    match (how.reduction, total) {
        ("none", _) => Ok(rows.clone()),
        ("sum", _) => rows.sum_all(),
        (_, Some(total)) => &rows.sum_all()? / total,
        (_, None) => rows.mean_all(),
    }
}

impl Val {
    /// The cross-entropy of logits, whose classes are the last axis, the mean over all rows.
    ///
    /// # Errors
    /// Where the target is neither of the shape of the logits nor, as integers, of that of their rows.
    pub fn cross_entropy(&self, target: &Val) -> Result<Val> {
        self.cross_entropy_of(target, &Classes::default())
    }

    /// The cross-entropy of logits, as is said of the classes.
    ///
    /// # Errors
    /// Those of [`Val::cross_entropy`], and where weights do not fit.
    pub fn cross_entropy_of(&self, target: &Val, how: &Classes) -> Result<Val> {
        let z = self.with_classes_last("cross_entropy", how)?;
        let target = match how.axis {
            // Shares lie as the logits do.
            Some(axis) if target.dims() == self.dims() && axis + 1 != self.ndim() => {
                target.movedim(axis, self.ndim() - 1)?
            }
            _ => target.clone(),
        };
        let last = [z.ndim() - 1];
        let (own, counted, total) = match Selected::of("cross_entropy", &z, &target, how)? {
            Some(selected) => {
                let own = selected.weighed(&(&z.log_of_softmax(last[0], false)? - &selected.own)?)?;
                (own, selected.counted.clone(), selected.total()?)
            }
            None => {
                let (shares, weighted) = shares_of("cross_entropy", &z, &target, how)?;
                // Shares need not add up to 1, and are differentiated by as if they did not.
                let own = (&weighted * &(&z.log_of_softmax(last[0], true)? - &z)?)?.sum(&last, false)?;
                (own, Some(shares.sum(&last, false)?), None)
            }
        };
        if how.smoothing == 0.0 {
            return reduced(&own, total.as_ref(), how);
        }
        // What is spread has the weights of all classes, in rows that count.
        let missing = (&z.log_of_softmax(last[0], true)? - &z)?;
        let weighted = how.weight.as_ref().map_or(Ok(missing.clone()), |weight| &missing * weight)?;
        let rows = weighted.mean(&last, false)?;
        let rows = counted.map_or(Ok(rows.clone()), |counted| &rows * &counted)?;
        let spread = (&rows * how.smoothing)?;
        reduced(&(&(&own * (1.0 - how.smoothing))? + &spread)?, total.as_ref(), how)
    }

    /// The value with the axis of its classes as the last one.
    pub(super) fn with_classes_last(&self, op: &str, how: &Classes) -> Result<Val> {
        match how.axis {
            _ if self.ndim() == 0 => Err(Error::new(format!("{op}: a scalar has no classes"))),
            Some(axis) if axis + 1 != self.ndim() => self.movedim(axis, self.ndim() - 1),
            _ => Ok(self.clone()),
        }
    }
}
