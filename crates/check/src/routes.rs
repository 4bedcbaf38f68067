//! The routes to a derivative, each as the tensor `[y…, x…]` in double precision.

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_autograd::{Function, jacobian, pullback};
use pullback_ops::{Result, Val};

use crate::differences::{Estimate, derivative};
use crate::kink::kinks;

/// ∂y/∂x with some values held: what the routes compute.
pub(crate) struct Derivative<'a> {
    pub y: &'a Val,
    pub x: &'a Val,
    pub fixed: Vec<&'a Val>,
}

/// Finite differences take every entry of x up to this many, and while a check computes fewer elements than
/// [`MOST_WORK`]; beyond, random directions.
const MOST_ENTRIES: usize = 1024;
const MOST_WORK: usize = 1 << 28;

/// Evaluations of the program that one derivative takes, about.
const EVALUATIONS: usize = 30;

/// Random directions. A deviation from the claim of twice the tolerance or more, along a direction of normally
/// distributed entries, stays below the tolerance with probability P(|z| < 1/2) = 0.383; 15 independent directions all
/// miss it with probability 0.383¹⁵ < 10⁻⁶.
pub(crate) const DIRECTIONS: usize = 15;

/// What finite differences saw.
pub(crate) enum Differences {
    /// Each entry, by its position in the tensor: the derivatives, their errors, and the kinks with both slopes.
    Entries { estimate: Estimate, kinks: Vec<(usize, f64, f64)> },
    /// Derivatives of y along directions of x.
    Directions(Vec<(Array, Estimate)>),
}

impl Derivative<'_> {
    fn len(value: &Val) -> usize {
        value.shape().iter().product()
    }

    /// Reverse mode, one output entry after the other, and how much it amplifies rounding.
    pub fn by_autograd(&self) -> Result<(Array, f64)> {
        let (rows, columns) = (Self::len(self.y), Self::len(self.x));
        let shape: Vec<usize> = self.y.shape().into_iter().chain(self.x.shape()).collect();
        let dtype = self.y.dtype();
        let ones = Val::new(Array::ones(&self.y.shape(), dtype)?);
        let Some(pulled) = pullback(&[(self.y, &ones)], &[self.x], &self.fixed)?.remove(0) else {
            return Ok((Array::zeros(&shape, DType::F64)?, 0.0));
        };
        let spread = crate::rounding::amplification(&pulled)?;
        if rows == 1 {
            return Ok((pulled.array()?.cast(DType::F64)?.reshape(&shape)?, spread));
        }
        let function = Function::new(&[&ones], &[&pulled], &[])?;
        let mut tensor = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            let mut unit = vec![0.0; rows];
            unit[row] = 1.0;
            let unit = Array::from_vec(&self.y.shape(), unit)?.cast(dtype)?;
            tensor.extend(function.call(&[unit])?[0].to_vec_f64());
        }
        Ok((Array::from_vec(&shape, tensor)?, spread))
    }

    /// The Jacobian of the whole program, written out; and whether it is zero by construction.
    pub fn by_network(&self) -> Result<(Array, bool)> {
        let jacobian = jacobian(self.y, self.x, &self.fixed)?;
        Ok((jacobian.to_dense()?.array()?.cast(DType::F64)?, jacobian.is_zero()))
    }

    /// Finite differences of the forward pass.
    pub fn by_differences(&self) -> Result<Differences> {
        let function = Function::new(&[self.x], &[self.y], &self.fixed)?;
        let at = self.x.array()?.to_vec_f64();
        let value = self.y.array()?.to_vec_f64();
        let cheap = function.work().saturating_mul(EVALUATIONS).saturating_mul(at.len()) <= MOST_WORK;
        if at.len() > MOST_ENTRIES || !cheap {
            return self.along_directions(&function, &at, value.len());
        }
        let largest = at.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
        let columns = at.len();
        let mut estimate =
            Estimate { value: vec![0.0; value.len() * columns], error: vec![0.0; value.len() * columns] };
        let mut found = Vec::new();
        for entry in 0..columns {
            let scale = scale(at[entry].abs().max(0.1 * largest));
            let mut along = self.along(&function, &at, |t, x| x[entry] += t);
            let column = derivative(&mut along, value.len(), scale);
            for (row, (&slope, &error)) in column.value.iter().zip(&column.error).enumerate() {
                estimate.value[row * columns + entry] = slope;
                estimate.error[row * columns + entry] = error;
            }
            let here = kinks(&mut along, &value, scale);
            found.extend(here.into_iter().map(|(row, left, right)| (row * columns + entry, left, right)));
        }
        Ok(Differences::Entries { estimate, kinks: found })
    }

    fn along_directions(&self, function: &Function, at: &[f64], components: usize) -> Result<Differences> {
        let mut generator = Generator::new(0x70726f6265);
        let largest = at.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
        let mut seen = Vec::new();
        for _ in 0..DIRECTIONS {
            let direction = generator.randn(&self.x.shape(), DType::F64)?;
            seen.push((
                direction.clone(),
                self.slope_along(function, at, &direction, components, scale(largest)),
            ));
        }
        Ok(Differences::Directions(seen))
    }

    fn slope_along(
        &self,
        function: &Function,
        at: &[f64],
        direction: &Array,
        components: usize,
        scale: f64,
    ) -> Estimate {
        let direction = direction.to_vec_f64();
        let mut along =
            self.along(function, at, |t, x| x.iter_mut().zip(&direction).for_each(|(x, d)| *x += t * d));
        derivative(&mut along, components, scale)
    }

    /// The program as a function of one number that moves x; `None` where a result is not finite.
    fn along<'f>(
        &'f self,
        function: &'f Function,
        at: &'f [f64],
        mut shift: impl FnMut(f64, &mut [f64]) + 'f,
    ) -> impl FnMut(f64) -> Option<Vec<f64>> + 'f {
        move |t| {
            let mut x = at.to_vec();
            shift(t, &mut x);
            let x = Array::from_vec(&self.x.shape(), x).and_then(|x| x.cast(self.x.dtype())).ok()?;
            let y = function.call(&[x]).ok()?.remove(0).to_vec_f64();
            y.iter().all(|y| y.is_finite()).then_some(y)
        }
    }

    /// The position in x whose entries of `tensor` finite differences contradict, where those along a direction do:
    /// the set of entries is halved until one is left.
    pub fn localise(&self, tensor: &Array, direction: &Array) -> Result<usize> {
        let function = Function::new(&[self.x], &[self.y], &self.fixed)?;
        let at = self.x.array()?.to_vec_f64();
        let components = Self::len(self.y);
        let largest = at.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
        let full = direction.to_vec_f64();
        let mismatch = |from: usize, to: usize| -> Result<f64> {
            let mut part = vec![0.0; full.len()];
            part[from..to].copy_from_slice(&full[from..to]);
            let part = Array::from_vec(&self.x.shape(), part)?;
            let slope = self.slope_along(&function, &at, &part, components, scale(largest));
            let claimed = along(tensor, &part, components);
            let excess = claimed.iter().zip(slope.value.iter().zip(&slope.error));
            Ok(excess.map(|(c, (v, e))| (c - v).abs() - e).fold(f64::NEG_INFINITY, f64::max))
        };
        let (mut from, mut to) = (0, full.len());
        while to - from > 1 {
            let middle = from + (to - from) / 2;
            if mismatch(from, middle)? >= mismatch(middle, to)? { to = middle } else { from = middle }
        }
        Ok(from)
    }
}

/// The tensor `[y…, x…]` contracted with a direction of x.
pub(crate) fn along(tensor: &Array, direction: &Array, components: usize) -> Vec<f64> {
    let (entries, direction) = (tensor.to_vec_f64(), direction.to_vec_f64());
    (0..components)
        .map(|row| entries[row * direction.len()..].iter().zip(&direction).map(|(c, d)| c * d).sum())
        .collect()
}

/// The length over which a program may be expected to change, from the size of its input.
fn scale(size: f64) -> f64 {
    if size > 0.0 && size.is_finite() { size } else { 1.0 }
}
