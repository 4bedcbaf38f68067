//! What the command does, for Python: texts and arrays in; JSON, text and arrays out.
//!
//! JSON and text are those that the command prints. What makes a text invalid is a [`PullbackError`] with the message that the
//! command prints, but for `check`, whose report holds it.

use std::ffi::OsString;
use std::path::PathBuf;

use pullback::array::file::{Dump, Entry};
use pullback::array::memory;
use pullback::function::{Check, Given, Gradients, Returned};
use pullback::lang::prelude;
use pullback::ops::table;
use pullback::report::{
    FileReport, Form, Format, Invalid, Page, Paint, Shown, Steps, Wanted, check_json, check_text,
    derive_json, derive_page, derive_text, invalid_text, jacobian_json, jacobian_text, ops_json, run_json,
    run_text,
};
use pullback::session::{
    Data, Derived as AskedToDerive, Terms, Wanted as WantedJacobian, check_as, derive_source,
    derive_statements, jacobian_source, run_source,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::PullbackError;
use crate::arrays::{array, entry, named, precision, to_numpy};
use crate::working::working;

/// Arrays with their names, and the precision in which each was computed where the array does not tell it.
type Arrays<'py> = Vec<(String, Bound<'py, PyAny>, Option<String>)>;

/// Exit code, JSON, text, and the text with colours for a terminal.
type Checked = (u8, String, String, String);

/// `pullback check`. `data` takes the place of a dump of the name `dump`. `function` is asked again on other data where a gradient
/// of `data` is wrong: it takes arrays by name and returns gradients by name.
#[pyfunction]
#[pyo3(signature = (name, source, folder, dump=None, data=None, computed=None, complete=false, verdicts_only=false, function=None))]
#[allow(clippy::too_many_arguments, reason = "each is a keyword of Python's")]
pub fn check(
    py: Python<'_>,
    name: String,
    source: String,
    folder: PathBuf,
    dump: Option<String>,
    data: Option<Arrays<'_>>,
    computed: Option<String>,
    complete: bool,
    verdicts_only: bool,
    function: Option<Py<PyAny>>,
) -> PyResult<Checked> {
    let dump_name = dump.unwrap_or_else(|| "the arrays".to_owned());
    let precision = computed.as_deref().map(precision).transpose()?;
    let dump = data.map(|arrays| entries(&arrays)).transpose()?.map(Dump::new);
    working(py, move || {
        let data = dump.as_ref().map(|dump| Data { name: &dump_name, dump });
        let report = match (&data, &function) {
            (Some(data), Some(function)) => {
                let check = Check::of(source).named(name).in_folder(folder);
                let check = precision.into_iter().fold(check, Check::computed_in);
                check.run_on(data, complete, |given| asked(function, given))
            }
            _ => {
                let terms = Terms { precision, complete, verdicts_only };
                check_as(&name, source.as_bytes(), &folder, data.as_ref(), &terms, &mut |_| {})
            }
        };
        checked(report)
    })
}

fn checked(report: FileReport) -> Checked {
    let reports = [report];
    let text = |paint| check_text(&reports, Wanted::Everything, paint);
    (reports[0].exit_code(), check_json(&reports), text(Paint::Plain), text(Paint::Ansi))
}

/// What a function of Python returns for these numbers.
fn asked(function: &Py<PyAny>, given: &Given<'_>) -> Returned {
    Python::attach(|py| {
        let arguments = PyDict::new(py);
        for name in given.names() {
            arguments.set_item(name, to_numpy(py, given.array(name)?)?)?;
        }
        let returned: Vec<(String, Option<Bound<'_, PyAny>>)> =
            function.call1(py, (arguments,))?.extract(py)?;
        let mut gradients = Gradients::new();
        for (name, numbers) in returned {
            gradients = match numbers {
                Some(numbers) => {
                    let (numbers, _) = array(&name, &numbers)?;
                    gradients.with(name, numbers)
                }
                None => gradients.none(name),
            };
        }
        Ok(gradients)
    })
}

fn entries(arrays: &Arrays<'_>) -> PyResult<Vec<Entry>> {
    arrays.iter().map(|(name, value, computed)| entry(name, value, computed.as_deref())).collect()
}

/// `pullback run`: JSON, text, definitions and gradients by name.
#[pyfunction]
pub fn run<'py>(
    py: Python<'py>,
    name: String,
    source: String,
    folder: PathBuf,
) -> PyResult<(String, String, Bound<'py, PyDict>, Bound<'py, PyDict>)> {
    let report = working(py, || {
        run_source(&name, source.as_bytes(), &folder).map(|report| {
            let (json, text) = (run_json(&report), run_text(&report));
            (json, text, report.definitions, report.gradients)
        })
    })?;
    let (json, text, definitions, gradients) = report.map_err(invalid)?;
    let arrays =
        |all: &[pullback::report::Named]| named(py, all.iter().map(|one| (one.name.as_str(), &one.array)));
    Ok((json, text, arrays(&definitions)?, arrays(&gradients)?))
}

/// JSON, text, HTML with MathML, and Markdown.
type Derived = (String, String, String, String);

/// `pullback derive`, of a file or, with `statements`, of what is written behind `-e`.
#[pyfunction]
#[pyo3(signature = (name, source, folder, of=None, wrt=None, statements=false, steps="full"))]
#[allow(clippy::too_many_arguments, reason = "each is a keyword of Python's")]
pub fn derive(
    py: Python<'_>,
    name: String,
    source: String,
    folder: PathBuf,
    of: Option<String>,
    wrt: Option<String>,
    statements: bool,
    steps: &str,
) -> PyResult<Derived> {
    let steps = match steps {
        "full" => Steps::Full,
        "brief" => Steps::Brief,
        other => return Err(PyValueError::new_err(format!("`{other}`: the steps are `full` or `brief`"))),
    };
    let report = working(py, || {
        let asked = AskedToDerive { of: of.as_deref(), wrt: wrt.as_deref(), ..Default::default() };
        let report = match statements {
            true => derive_statements(&source, &asked),
            false => derive_source(&name, source.as_bytes(), &folder, &asked),
        };
        report.map(|report| {
            let page = |format| derive_page(&report, Page { format, steps, document: false });
            let text = derive_text(&report, Shown { steps, width: 120, paint: Paint::Plain });
            (derive_json(&report), text, page(Format::Html), page(Format::Markdown))
        })
    })?;
    report.map_err(invalid)
}

/// `pullback jacobian`, or with `again` `pullback hessian`: JSON, text, and the numbers where a form is asked for (`tensor`, `row`,
/// `col`).
#[pyfunction]
#[pyo3(signature = (name, source, folder, of, wrt, form=None, again=None))]
#[allow(clippy::too_many_arguments, reason = "each is a keyword of Python's")]
pub fn jacobian<'py>(
    py: Python<'py>,
    name: String,
    source: String,
    folder: PathBuf,
    of: String,
    wrt: String,
    form: Option<String>,
    again: Option<String>,
) -> PyResult<(String, String, Option<Bound<'py, PyAny>>)> {
    let dense = match form.as_deref() {
        None => None,
        Some("tensor") => Some(Form::Tensor),
        Some("row") => Some(Form::Row),
        Some("col") => Some(Form::Column),
        Some(other) => {
            let message = format!("`{other}` is no form of a Jacobian: `tensor`, `row` and `col` are");
            return Err(PyValueError::new_err(message));
        }
    };
    let report = working(py, || {
        let wanted = WantedJacobian { of: &of, wrt: &wrt, again: again.as_deref(), dense };
        jacobian_source(&name, source.as_bytes(), &folder, &wanted).map(|report| {
            let (json, text) = (jacobian_json(&report), jacobian_text(&report, Paint::Plain));
            (json, text, report.dense.map(|(_, array)| array))
        })
    })?;
    let (json, text, dense) = report.map_err(invalid)?;
    let dense = dense.map(|array| to_numpy(py, &array)).transpose()?;
    Ok((json, text, dense))
}

/// `pullback ops --json`.
#[pyfunction]
pub fn ops() -> String {
    ops_json(&table().iter().collect::<Vec<_>>(), &prelude())
}

/// The command, with these arguments, of which the first is its name. Its limit on memory is for itself: what was allowed before is
/// allowed after it.
#[pyfunction]
pub fn main(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    let limit = memory::limit();
    let code = working(py, || pullback::command_line::run(arguments));
    memory::set_limit(limit);
    code
}

fn invalid(invalid: Invalid) -> PyErr {
    PullbackError::new_err(invalid_text(&invalid, Paint::Plain).trim_end().to_owned())
}
