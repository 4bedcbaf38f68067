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

use super::cumsum::called;
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

/// The shares that classes have in rows.
pub(super) struct Shares {
    /// As they are: of a row that is ignored they are 0.
    plain: Val,
    /// Times the weight of the class.
    pub weighted: Val,
    /// What a mean is over: the weights of all rows, where they are not 1.
    pub total: Option<Val>,
}

impl Shares {
    /// 1 for each row that counts, and 0 for one that is ignored, with an axis of size 1 for the classes.
    fn counted(&self, last: &[usize]) -> Result<Val> {
        self.plain.sum(last, true)
    }
}

/// The shares of a target in rows of the shape of `z`, whose classes are the last axis.
pub(super) fn shares_of(op: &str, z: &Val, target: &Val, how: &Classes) -> Result<Shares> {
    let Some((&classes, rows)) = z.dims().split_last() else {
        return Err(Error::new(format!("{op}: a scalar has no classes")));
    };
    let (mut ignores, mut is_class) = (false, false);
    let shares = match target.dtype() {
        // Shares that happen to be whole numbers.
        DType::I64 if target.dims() == z.dims() => (target * &Val::number(1.0, z.dtype()))?,
        // A row of the unit matrix for each; a row of zeros for what is ignored.
        DType::I64 => {
            is_class = true;
            let entries = target.array()?.to_vec_i64()?;
            ignores = entries.contains(&how.ignored);
            let size = classes.size();
            let unit = Val::with_dims(Array::eye(size, z.dtype())?, &[classes, classes])?;
            let unit = unit.named(&format!("eye({})", called(classes)));
            if ignores {
                let padded = unit.pad(&[(0, 1), (0, 0)], 0.0)?;
                let places =
                    entries.iter().map(|&class| if class == how.ignored { size as i64 } else { class });
                let places = Array::from_vec(target.array()?.shape(), places.collect::<Vec<i64>>())?;
                padded.gather(&Val::with_dims(places, target.dims())?, 0)?
            } else {
                unit.gather(target, 0)?
            }
        }
        _ => target.clone(),
    };
    if shares.dims() != z.dims() {
        return Err(Error::new(format!(
            "{op}: a target of shape {:?} does not fit logits of shape {:?}",
            target.dims(),
            z.dims()
        ))
        .with_hint(format!("it is of that shape, or holds integers and has the shape {rows:?}; `axis` names that of the classes")));
    }
    let last = rows.len();
    let Some(weight) = &how.weight else {
        // The mean is over what counts.
        let total = if ignores { Some(shares.sum_all()?) } else { None };
        return Ok(Shares { plain: shares.clone(), weighted: shares, total });
    };
    if weight.dims() != &z.dims()[last..] {
        return Err(Error::new(format!(
            "{op}: weights of shape {:?} for the classes of {:?}",
            weight.dims(),
            z.dims()
        )));
    }
    let weighted = (&shares * weight)?;
    let total = if is_class { Some(weighted.sum_all()?) } else { None };
    Ok(Shares { plain: shares, weighted, total })
}

/// The elements of `z` at the classes of a target, where there is one for each row and all classes count alike, and which rows count, where
/// some do not: no table is made of all classes.
pub(super) fn selected(z: &Val, target: &Val, how: &Classes) -> Result<Option<(Val, Option<Val>)>> {
    let is_class = target.dtype() == DType::I64
        && z.dims().split_last().is_some_and(|(_, rows)| target.dims() == rows)
        && how.weight.is_none()
        && how.smoothing == 0.0;
    if !is_class {
        return Ok(None);
    }
    let (classes, rows) = (target.array()?.to_vec_i64()?, target.ndim());
    let is_ignored = |class: &i64| *class == how.ignored;
    if !classes.iter().any(is_ignored) {
        return Ok(Some((z.pick(target, rows)?, None)));
    }
    // What is not counted may be any class.
    let places = classes.iter().map(|class| if is_ignored(class) { 0 } else { *class }).collect();
    let counted = classes.iter().map(|class| if is_ignored(class) { 0.0 } else { 1.0 }).collect::<Vec<f64>>();
    let places = Val::with_dims(Array::from_vec(&target.shape(), places)?, target.dims())?;
    let counted = Array::from_vec(&target.shape(), counted)?.cast(z.dtype())?;
    let counted = Val::with_dims(counted, target.dims())?;
    let (places, counted) = match target.name().filter(|name| name.is_identifier()) {
        Some(t) => (
            places.named(&format!("where({t} == {}, 0, {t})", how.ignored)),
            counted.named(&format!("({t} != {})", how.ignored)),
        ),
        None => (places, counted),
    };
    Ok(Some((z.pick(&places, rows)?, Some(counted))))
}

/// The same of rows of which some may not count.
pub(super) fn counted_rows(rows: &Val, counted: Option<Val>, how: &Classes) -> Result<Val> {
    match counted {
        None => reduced(rows, None, how),
        Some(counted) => reduced(&(rows * &counted)?, Some(&counted.sum_all()?), how),
    }
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
        if let Some((own, counted)) = selected(&z, &target, how)? {
            return counted_rows(&(&z.logsumexp(&last, false)? - &own)?, counted, how);
        }
        let shares = shares_of("cross_entropy", &z, &target, how)?;
        // Shares need not add up to 1, and are differentiated by as if they did not.
        let missing = (&z.logsumexp(&last, true)? - &z)?;
        let own = (&shares.weighted * &missing)?.sum(&last, false)?;
        if how.smoothing == 0.0 {
            return reduced(&own, shares.total.as_ref(), how);
        }
        // What is spread has the weights of all classes, in rows that count.
        let counted = shares.counted(&last)?;
        let weights = match &how.weight {
            Some(weight) => (&counted * weight)?,
            None => counted,
        };
        let spread = (&(&weights * &missing)?.mean(&last, false)? * how.smoothing)?;
        reduced(&(&(&own * (1.0 - how.smoothing))? + &spread)?, shares.total.as_ref(), how)
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
