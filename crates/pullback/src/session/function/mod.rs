//! A backward pass that is a function of one's own: its gradients, judged and diagnosed.
//!
//! The forward pass is written in the language, with its inputs and either a loss or the cotangents of its outputs; the
//! function is given the numbers and returns gradients. So what is judged is the code that runs, and no transcription of it. Where
//! a gradient is wrong the function is called again on other numbers, which tell apart what one set of data cannot.
//!
//! ```
//! use pullback::assert_gradients;
//! use pullback::function::Gradients;
//!
//! const LAYER: &str = "
//!     X: [N=5, D=3] ~ randn
//!     W: [D, M=2] ~ randn
//!     Z = X @ W
//!     dL/dZ: [N, M] ~ randn
//! ";
//!
//! assert_gradients!(LAYER, |given| {
//!     let (x, w, dz) = (given.f64("X")?, given.f64("W")?, given.f64("dL/dZ")?);
//!     let (n, d, m) = (given.size("N")?, given.size("D")?, given.size("M")?);
//!     let (mut dx, mut dw) = (vec![0.0; n * d], vec![0.0; d * m]);
//!     for i in 0..n {
//!         for k in 0..d {
//!             for j in 0..m {
//!                 dx[i * d + k] += dz[i * m + j] * w[k * m + j];
//!                 dw[k * m + j] += x[i * d + k] * dz[i * m + j];
//!             }
//!         }
//!     }
//!     Ok(Gradients::new().with("X", dx).with("W", dw))
//! });
//! ```
//!
//! A gradient that is wrong fails the test, with what `pullback check` prints of it:
//!
//! ```should_panic
//! # use pullback::assert_gradients;
//! # use pullback::function::Gradients;
//! assert_gradients!("x: [n=3] ~ randn; L = mean(x^2)", |given| {
//!     let x = given.f64("x")?;
//!     Ok(Gradients::new().with("x", x.iter().map(|x| 2.0 * x).collect::<Vec<f64>>()))       // the mean's 1/n is missing
//! });
//! ```
//!
//! Numbers are judged by the precision in which they come: what is returned in f32 may be off by what f32 rounds. With
//! `dtype f32` in the text the function's inputs are exactly representable in f32, and all that it returns is taken for f32.
//!
//! # Which data a function is called with
//!
//! Once with the file's own. Where a gradient is wrong, with other numbers in the same shapes, and after
//! [`Check::at_any_size`] in other shapes too. That has to be asked for: a kernel may be written for the sizes of its file, and
//! one that reads beyond its buffers at others is worse than a diagnosis that cannot tell 1/N from 1/32. An error that the
//! function returns on the file's own data fails the check; on other data it says that there is nothing to be had there. A panic
//! is the function's own and is not caught.

mod claims;
mod given;
mod gradients;

use std::path::PathBuf;

use pullback_array::DType;
use pullback_lang::program::{Program, ValueKind};
use pullback_report::{Because, Elsewhere, FileReport, Invalid, Origin, Paint, Problem, Wanted, check_text};

pub use given::Given;
pub use gradients::{Gradient, Gradients};
pub use pullback_array::{Error, Precision};

use super::Opened;
use super::check::{Checked, judged};
use super::data::{Data, Terms};

/// What a function returns: gradients, or why there are none.
pub type Returned = Result<Gradients, Box<dyn std::error::Error>>;

/// A forward pass, by which gradients are judged.
///
/// ```
/// use pullback::function::{Check, Gradients};
///
/// let report = Check::of("x: [n=3] ~ randn; L = sum(x^2)").at_any_size().run(|given| {
///     Ok(Gradients::new().with("x", given.f64("x")?))                         // 2 x is right
/// });
/// assert_eq!(report.exit_code(), 1);
/// assert_eq!(report.claims[0].key, "dL/dx");
/// ```
#[derive(Clone, Debug)]
pub struct Check {
    source: String,
    name: String,
    folder: PathBuf,
    any_size: bool,
    precision: Option<Precision>,
}

impl Check {
    /// By the forward pass that this text describes. Claims in it are judged too.
    pub fn of(source: impl Into<String>) -> Check {
        Check {
            source: source.into(),
            name: "the forward pass".to_string(),
            folder: PathBuf::from("."),
            any_size: false,
            precision: None,
        }
    }

    /// With a name for the text, which the report shows.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Check {
        Check { name: name.into(), ..self }
    }

    /// With the folder in which files that the text loads are looked for.
    #[must_use]
    pub fn in_folder(self, folder: impl Into<PathBuf>) -> Check {
        Check { folder: folder.into(), ..self }
    }

    /// The function computes in this precision and not in that in which its gradients come: bf16, and returns f32.
    #[must_use]
    pub fn computed_in(self, precision: Precision) -> Check {
        Check { precision: Some(precision), ..self }
    }

    /// The function works at whatever sizes the inputs have: it may be asked at others than those of the text.
    #[must_use]
    pub fn at_any_size(self) -> Check {
        Check { any_size: true, ..self }
    }

    /// Judges the gradients that a function returns. They stand behind the claims of the text, or in the place of those about the
    /// same derivatives.
    pub fn run(&self, function: impl Fn(&Given<'_>) -> Returned) -> FileReport {
        match self.checked(&function) {
            Err(invalid) => FileReport::from(invalid),
            Ok(checked) => self.judged(checked, &function, &Terms::default()),
        }
    }

    /// The same for a function that has run already: `data` has what it was given, what it computed on the way and the gradients
    /// that it returned, as [`check_dump`](super::check_dump) reads them, in whatever precision. Only where a gradient is wrong the
    /// function is called, on other numbers. With `complete` a gradient that is not there is wrong.
    ///
    /// ```
    /// use pullback::array::{Array, Precision, file::{Dump, Entry}};
    /// use pullback::function::{Check, Gradients};
    /// use pullback::session::Data;
    ///
    /// let entry = |name: &str, numbers: &[f32]| {
    ///     let array = Array::from_slice(&[numbers.len()], numbers)?;
    ///     Ok(Entry { name: name.into(), array, precision: Precision::BF16, stored: Precision::BF16 })
    /// };
    /// let dump = Dump::new(vec![entry("x", &[1.0, -0.5, 2.0])?, entry("dL/dx", &[1.0, -0.5, 2.0])?]);
    /// let data = Data { name: "square", dump: &dump };
    /// let report = Check::of("x: [3] ~ randn; L = sum(x^2)").run_on(&data, false, |given| {
    ///     Ok(Gradients::new().with("x", given.f64("x")?))                         // 2 x is right
    /// });
    /// assert_eq!(report.claims[0].diagnoses[0].cause, "missing-factor");
    /// # Ok::<(), pullback::array::Error>(())
    /// ```
    pub fn run_on(
        &self,
        data: &Data<'_>,
        complete: bool,
        function: impl Fn(&Given<'_>) -> Returned,
    ) -> FileReport {
        let terms = Terms { precision: self.precision, complete, ..Terms::default() };
        let checked = Checked::new(&self.name, self.source.as_bytes(), &self.folder, Some(data), &terms);
        let report = match checked {
            Err(invalid) => FileReport::from(invalid),
            Ok(checked) => {
                let lacking = checked.lacking.clone();
                lacking.added_to(self.judged(checked, &function, &terms), &terms)
            }
        };
        FileReport { data: Some(data.name.to_string()), ..report }
    }

    fn judged(
        &self,
        checked: Checked,
        function: &dyn Fn(&Given<'_>) -> Returned,
        terms: &Terms,
    ) -> FileReport {
        let (dtype, shapes) = (checked.opened.program.dtype, shapes(&checked.exact));
        let keys = |program: &Program| program.claims.iter().map(|claim| claim.key.clone()).collect();
        let known: Vec<String> = keys(&checked.exact);
        let on_other_data = |program: &mut Program| {
            let own = program.claims.len();
            if (self.any_size || self::shapes(program) == shapes)
                && let Ok(found) = called(function, program, dtype)
            {
                // What is no claim there is one claim less that is tried on that data. Claims are known by their numbers: a function
                // that returns other gradients there than here has nothing to say.
                let added = claims::add(program, &found);
                if added.is_err() || !known.starts_with(&keys(program)) {
                    program.claims.truncate(own);
                }
            }
        };
        judged(checked, &self.folder, terms, &on_other_data, &mut |_| {})
    }

    /// The text with what the function claims on its data.
    fn checked(&self, function: &dyn Fn(&Given<'_>) -> Returned) -> Result<Checked, Invalid> {
        let opened = Opened::new(&self.name, self.source.as_bytes(), &self.folder)?;
        let mut checked = Checked::exactly(opened, &self.folder)?;
        let Checked { opened, exact, elsewhere, .. } = &mut checked;
        let found = called(function, &opened.program, opened.program.dtype).and_then(|found| {
            claims::complete(&opened.file, &opened.program, &found)?;
            for program in [&mut opened.program, exact] {
                for (number, claim) in claims::add(program, &found)? {
                    let stored = match claim.array.dtype() {
                        DType::F32 => Precision::F32,
                        _ => Precision::F64,
                    };
                    let (origin, entry) = (Origin::Function, claim.name.clone());
                    let precision = self.precision.unwrap_or(stored);
                    let because = if self.precision.is_some() { Because::Asked } else { Because::Held };
                    elsewhere.insert(number, Elsewhere { origin, entry, precision, stored, because });
                }
            }
            Ok(())
        });
        match found {
            Ok(()) => Ok(checked),
            Err(problems) => Err(checked.opened.invalid(problems)),
        }
    }
}

impl From<&str> for Check {
    fn from(source: &str) -> Check {
        Check::of(source)
    }
}

impl From<String> for Check {
    fn from(source: String) -> Check {
        Check::of(source)
    }
}

/// What a function claims on the data of a program.
fn called(
    function: &dyn Fn(&Given<'_>) -> Returned,
    program: &Program,
    dtype: DType,
) -> Result<claims::Found, Vec<Problem>> {
    let gradients = function(&Given::new(program)).map_err(|error| {
        let problem = Problem::new(format!("the function returns an error: {error}"));
        let hint = error.downcast_ref::<Error>().and_then(Error::hint);
        vec![match hint {
            Some(hint) => problem.with_hint(hint),
            None => problem,
        }]
    })?;
    claims::found(program, &gradients, dtype)
}

/// The shapes of all inputs and given cotangents.
fn shapes(program: &Program) -> Vec<Vec<usize>> {
    let given = program.values.iter().filter(|value| value.kind != ValueKind::Definition);
    given.map(|value| value.val.shape()).collect()
}

/// Asserts that the gradients that a function returns hold: by a text that describes the forward pass, or a
/// [`Check`](crate::function::Check) of one. See [`function`](crate::function).
///
/// # Panics
/// Where one does not hold, where the function returns an error, or the text is invalid: with what `pullback check` prints.
#[macro_export]
macro_rules! assert_gradients {
    ($check:expr, $function:expr $(,)?) => {
        $crate::function::assert_gradients($check, $function)
    };
}

/// What [`assert_gradients!`](crate::assert_gradients) does.
#[doc(hidden)]
#[track_caller]
pub fn assert_gradients(check: impl Into<Check>, function: impl Fn(&Given<'_>) -> Returned) {
    let report = check.into().run(function);
    if report.exit_code() > 0 {
        panic!("{}", check_text(&[report], Wanted::Everything, Paint::Plain));
    }
}
