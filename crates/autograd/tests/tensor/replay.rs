//! `golden/semantics.json` holds what PyTorch made of each statement of some two hundred little programs; `golden/semantics.py`
//! made it and explains the statements. Here each statement is a call of Pullback, and must come to the same.

use std::collections::HashMap;

use pullback_array::Array;
use pullback_autograd::tensor::{Error, ErrorKind, Pass, Result, Tensor, no_grad};
use pullback_ops::Val;
use serde_json::Value;

/// Pullback's kind of error for PyTorch's, as the script names it.
fn kind(name: &str) -> ErrorKind {
    match name {
        "not-scalar" => ErrorKind::NotScalar,
        "no-grad" => ErrorKind::NothingRequiresGrad,
        "input-without-grad" => ErrorKind::InputWithoutGrad,
        "unused" => ErrorKind::Unused,
        "freed" => ErrorKind::Freed,
        "modified" => ErrorKind::Modified,
        "leaf-in-place" => ErrorKind::LeafInPlace,
        "not-a-leaf" => ErrorKind::NotALeaf,
        "integers" => ErrorKind::Integers,
        "nothing-to-retain" => ErrorKind::NothingToRetain,
        "seed-shape" => ErrorKind::Cotangent,
        "shape" => ErrorKind::Place,
        other => panic!("{other}: no such kind of error"),
    }
}

/// The numbers of a literal with its shape: `[[1,2],[3,4]]`.
fn literal(text: &str, dtype: &str) -> Array {
    fn flatten(value: &Value, depth: usize, shape: &mut Vec<usize>, numbers: &mut Vec<f64>) {
        match value {
            Value::Array(items) => {
                if shape.len() == depth {
                    shape.push(items.len());
                }
                items.iter().for_each(|item| flatten(item, depth + 1, shape, numbers));
            }
            number => numbers.push(number.as_f64().expect("a number")),
        }
    }
    let (mut shape, mut numbers) = (Vec::new(), Vec::new());
    flatten(&serde_json::from_str(text).expect("a literal"), 0, &mut shape, &mut numbers);
    match dtype {
        "i64" => Array::from_vec(&shape, numbers.iter().map(|&x| x as i64).collect()),
        _ => Array::from_vec(&shape, numbers),
    }
    .expect("a rectangular literal")
}

/// A scenario as it runs: its tensors by name.
#[derive(Default)]
struct Run {
    tensors: HashMap<String, Tensor>,
}

/// What `show` shows of a tensor or a gradient.
enum Shown {
    Tensor(Tensor),
    None { warns: bool },
}

impl Run {
    fn tensor(&self, name: &str) -> &Tensor {
        self.tensors.get(name).unwrap_or_else(|| panic!("no tensor {name}"))
    }

    fn statement(&mut self, text: &str) -> Result<Option<Shown>> {
        if let Some(rest) = text.strip_prefix("no_grad: ") {
            return no_grad(|| self.statement(rest));
        }
        if let Some((names, rest)) = text.split_once(" = ") {
            let results = self.expression(&rest.split(' ').collect::<Vec<_>>())?;
            let names: Vec<&str> = names.split(' ').collect();
            assert_eq!(names.len(), results.len(), "{text}");
            for (name, result) in names.iter().zip(results) {
                if let Some(tensor) = result {
                    self.tensors.insert((*name).to_string(), tensor);
                }
            }
            return Ok(None);
        }
        let words: Vec<&str> = text.split(' ').collect();
        let (name, rest) = (words[1], &words[2..]);
        let flag = |flag: &str| rest.contains(&flag);
        match words[0] {
            "show" => return Ok(Some(self.show(name))),
            "backward" => {
                let seed = rest.iter().position(|&word| word == "with").map(|at| self.tensor(rest[at + 1]));
                match (seed, flag("retain_graph"), flag("create_graph")) {
                    (None, false, false) => self.tensor(name).backward()?,
                    (Some(seed), false, false) => self.tensor(name).backward_with(seed)?,
                    (seed, retain, create) => {
                        let pass = self.tensor(name).pass().grad_outputs(&[seed]).create_graph(create);
                        if retain { pass.retain_graph(true) } else { pass }.backward()?;
                    }
                }
            }
            "retain_grad" => self.tensor(name).retain_grad()?,
            "requires_grad_" => drop(self.tensor(name).requires_grad_(rest[0] == "true")?),
            "zero_grad" => self.tensor(name).zero_grad(),
            "zero_" => self.tensor(name).zero_()?,
            "exp_" => self.tensor(name).update(Tensor::exp)?,
            "copy_" => self.tensor(name).copy_(self.tensor(rest[0]))?,
            "add_" => self.tensor(name).add_(&self.operand(rest[0]))?,
            "sub_" => self.tensor(name).sub_(&self.operand(rest[0]))?,
            "mul_" => self.tensor(name).mul_(&self.operand(rest[0]))?,
            other => panic!("{other}: no such statement"),
        }
        Ok(None)
    }

    /// A tensor by name, or a number.
    fn operand(&self, word: &str) -> Tensor {
        match word.parse::<f64>() {
            Ok(number) => Tensor::from_slice(&[], &[number]).expect("a scalar"),
            Err(_) => self.tensor(word).clone(),
        }
    }

    fn expression(&self, words: &[&str]) -> Result<Vec<Option<Tensor>>> {
        if words[0] == "grad" {
            return self.grad(&words[1..]);
        }
        let name = words[1];
        let x = || self.tensor(name);
        let number = words.get(2).and_then(|word| word.parse::<f64>().ok());
        let y = || self.tensor(words[2]);
        let one = match (words[0], number) {
            ("leaf", _) => Tensor::new(literal(name, "f64")).requires_grad_(true)?,
            ("constant", _) => Tensor::new(literal(name, "f64")),
            ("integers", _) => Tensor::new(literal(name, "i64")),
            ("alias", _) => x().clone(),
            ("detach", _) => x().detach(),
            ("grad_of", _) => x().grad()?,
            ("add", Some(number)) => (x() + number)?,
            ("sub", Some(number)) => (x() - number)?,
            ("mul", Some(number)) => (x() * number)?,
            ("div", Some(number)) => (x() / number)?,
            ("add", None) => (x() + y())?,
            ("sub", None) => (x() - y())?,
            ("mul", None) => (x() * y())?,
            ("div", None) => (x() / y())?,
            ("neg", _) => (-x())?,
            ("square", _) => x().pow(2.0)?,
            ("cube", _) => x().pow(3.0)?,
            ("matmul", _) => x().matmul(y())?,
            ("outer", _) => x().zip(y(), Val::outer)?,
            ("sum", _) => x().sum()?,
            ("mean", _) => x().mean()?,
            ("exp", _) => x().exp()?,
            ("log", _) => x().log()?,
            ("sin", _) => x().map(Val::sin)?,
            ("tanh", _) => x().tanh()?,
            ("relu", _) => x().relu()?,
            ("sign", _) => x().map(Val::sign)?,
            ("softmax", _) => x().map(|x| x.softmax(0))?,
            ("mse", _) => x().zip(y(), |p, t| (p - t)?.powf(2.0)?.mean_all())?,
            (other, _) => panic!("{other}: no such operation"),
        };
        Ok(vec![Some(one)])
    }

    fn grad(&self, words: &[&str]) -> Result<Vec<Option<Tensor>>> {
        let given = |flag: &str| words.contains(&flag);
        let flags = ["retain_graph", "create_graph", "allow_unused"];
        let words: Vec<&str> = words.iter().copied().filter(|word| !flags.contains(word)).collect();
        let (outputs, rest) = words.split_at(words.iter().position(|&word| word == "->").expect("->"));
        let with = rest.iter().position(|&word| word == "with").unwrap_or(rest.len());
        let tensors = |names: &[&str]| names.iter().map(|name| self.tensor(name)).collect::<Vec<&Tensor>>();
        let mut pass = Pass::of(&tensors(outputs)).create_graph(given("create_graph"));
        if given("retain_graph") {
            pass = pass.retain_graph(true);
        }
        if with < rest.len() {
            let seed = |name: &&str| if *name == "none" { None } else { Some(self.tensor(name)) };
            pass = pass.grad_outputs(&rest[with + 1..].iter().map(seed).collect::<Vec<_>>());
        }
        let inputs = tensors(&rest[1..with]);
        match given("allow_unused") {
            true => pass.grad_allow_unused(&inputs),
            false => Ok(pass.grad(&inputs)?.into_iter().map(Some).collect()),
        }
    }

    fn show(&self, word: &str) -> Shown {
        match word.split_once(".grad") {
            None => Shown::Tensor(self.tensor(word).clone()),
            Some((name, _)) => match self.tensor(name).grad() {
                Ok(gradient) => Shown::Tensor(gradient),
                Err(reason) => Shown::None { warns: reason.is_warning() },
            },
        }
    }
}

/// Compares what a statement gave with what PyTorch gave; the difference, in words.
fn differs(gave: &std::result::Result<Option<Shown>, Error>, golden: &Value) -> Option<String> {
    if let Some(name) = golden["error"].as_str() {
        return match gave {
            Err(error) if error.kind() == kind(name) && error.hint().is_some() => {
                // The script keeps the first sentence of PyTorch's words. Two errors have others: they name its classes.
                let theirs = golden["message"].as_str().expect("a message");
                let ours = error.in_pytorch().unwrap_or_default();
                let is_own = matches!(error.kind(), ErrorKind::Modified | ErrorKind::Place);
                (!is_own && !ours.starts_with(theirs))
                    .then(|| format!("in PyTorch's words {ours:?}, not {theirs:?}"))
            }
            Err(error) => {
                Some(format!("the error is {:?} with hint {:?}: {error}", error.kind(), error.hint()))
            }
            Ok(_) => Some(format!("no error, and PyTorch's is {}", golden["message"])),
        };
    }
    match gave {
        Err(error) => Some(format!("an error: {error}")),
        Ok(None) => (!golden.is_null()).then(|| format!("nothing, and PyTorch shows {golden}")),
        Ok(Some(Shown::None { warns })) => (golden["none"] != true || golden["warns"] != *warns)
            .then(|| format!("none, warning: {warns}; PyTorch {golden}")),
        Ok(Some(Shown::Tensor(tensor))) => {
            let numbers = |value: &Value| -> Vec<f64> {
                value.as_array().into_iter().flatten().map(|x| x.as_f64().expect("a number")).collect()
            };
            let shape: Vec<f64> = tensor.shape().iter().map(|&size| size as f64).collect();
            let (ours, theirs) = (tensor.array().to_vec_f64(), numbers(&golden["data"]));
            // Both compute in f64, and differ by the order of some sums and by the last digit of an exponential: a few roundings
            // of numbers of the order of 1, which may cancel.
            let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 8.0 * f64::EPSILON * b.abs().max(1.0);
            let same = golden["none"].is_null()
                && shape == numbers(&golden["shape"])
                && ours.len() == theirs.len()
                && ours.iter().zip(&theirs).all(close)
                && golden["requires_grad"] == tensor.requires_grad()
                && golden["is_leaf"] == tensor.is_leaf();
            (!same).then(|| format!("{tensor:?}, a leaf: {}; PyTorch {golden}", tensor.is_leaf()))
        }
    }
}

#[test]
fn every_statement_comes_to_what_pytorch_came_to() {
    let golden: Value =
        serde_json::from_str(include_str!("../golden/semantics.json")).expect("semantics.json");
    let scenarios = golden["scenarios"].as_array().expect("scenarios");
    let mut wrong = Vec::new();
    let (mut statements, mut refused) = (0, 0);
    for scenario in scenarios {
        let mut run = Run::default();
        for step in scenario["steps"].as_array().expect("steps") {
            let text = step["do"].as_str().expect("a statement");
            let gave = run.statement(text);
            if let Some(difference) = differs(&gave, &step["gives"]) {
                wrong.push(format!("{}: `{text}`: {difference}", scenario["scenario"]));
            }
            statements += 1;
            refused += usize::from(gave.is_err());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // None of them is lost, and neither is the file.
    assert!(
        scenarios.len() >= 200 && statements >= 4000 && refused >= 150,
        "{statements}, {refused} refused"
    );
}
