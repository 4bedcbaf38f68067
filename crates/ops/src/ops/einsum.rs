//! A sum of products in index notation, and with it every reduction, product and rearrangement of axes that is one.
//!
//! # Formula
//! y_out = c · Σ Π operand_labels: labels that are not in the output are summed. A label may stand twice in an operand
//! (a diagonal is read) and in the output (the result is written on the diagonal).
//!
//! # Jacobian
//! By one operand: the product of the others. Its slots are the labels of the output and of that operand, so that a label
//! in both is a delta.
//!
//! # Domain
//! All reals. The axes under one label have one size, or are of size 1 and broadcast; `...` stands for the axes that have no letter.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A sum of products is linear in each operand: the derivative by one is what multiplies it. This is the operation of
//! which every contraction of a network consists, and its own rule is a network of the same kind: differentiation
//! never leaves it.

use pullback_array::{Array, DType};
use pullback_network::{Coef, Dim, Label, contraction_order};

use super::cumsum::called;
use super::mul::MUL;
use crate::kernel::Recipe;
use crate::spelled::spelled_out;
use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val, promote};

/// The most operands of one product: as many as NumPy takes.
const MOST_OPERANDS: usize = 64;

/// `c · Σ Π operands`, each axis under a label; see the page of this module.
#[derive(Debug, Clone, PartialEq)]
pub struct Einsum {
    name: &'static str,
    coef: Coef,
    operands: Vec<Vec<usize>>,
    out: Vec<usize>,
    /// The dim of each label.
    dims: Vec<Dim>,
    /// What a call has behind its operands: `, axis=0`.
    arguments: String,
    /// Which operands have zeros that nothing comes through; none of a product that the program states.
    gates: Vec<bool>,
}

impl Einsum {
    /// The operation that contracts operands with these labels into `out`.
    pub fn from_labels(coef: Coef, operands: &[Vec<Label>], out: &[Label]) -> Einsum {
        let mut known: Vec<Label> = Vec::new();
        let mut number = |labels: &[Label]| -> Vec<usize> {
            let place = |label: &Label| {
                known.iter().position(|l| l == label).unwrap_or_else(|| {
                    known.push(*label);
                    known.len() - 1
                })
            };
            labels.iter().map(place).collect()
        };
        let operands = operands.iter().map(|labels| number(labels)).collect();
        let out = number(out);
        let dims = known.iter().map(|label| label.dim()).collect();
        Einsum { name: "einsum", coef, operands, out, dims, arguments: String::new(), gates: Vec::new() }
    }

    /// The same with what is known of the operands' zeros; see [`Op::gates`].
    pub(crate) fn gated(self, gates: Vec<bool>) -> Einsum {
        Einsum { gates, ..self }
    }

    /// The same operation under the name by which users know it, and what its call has behind the operands.
    pub(crate) fn called(self, name: &'static str, arguments: String) -> Einsum {
        Einsum { name, arguments, ..self }
    }

    /// The operation that a specification such as `ij,jk->ik` describes, for operands of these dims. Without `->` the
    /// output has, in alphabetical order, the letters that occur once.
    ///
    /// # Errors
    /// Where the specification does not fit the operands.
    pub fn from_spec(spec: &str, operands: &[&[Dim]]) -> Result<Einsum> {
        let wrong = |message: String| Error::new(format!("einsum \"{spec}\": {message}"));
        let text: String = spec.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, right) = match text.split_once("->") {
            Some((left, right)) => (left.to_string(), Some(right.to_string())),
            None => (text, None),
        };
        let parts: Vec<&str> = left.split(',').collect();
        if parts.len() != operands.len() {
            return Err(wrong(format!("it names {} operands and {} are given", parts.len(), operands.len())));
        }
        if let Some(c) =
            left.chars().chain(right.iter().flat_map(|r| r.chars())).find(|c| !c.is_alphabetic() && *c != ',')
        {
            return Err(wrong(format!("`{c}` is no index letter"))
                .with_hint("write it as in einsum(\"ij,jk->ik\", A, B)"));
        }
        let right = right.unwrap_or_else(|| {
            let mut letters: Vec<char> = left.chars().filter(|c| *c != ',').collect();
            letters.sort_unstable();
            let once = |c: &char| letters.iter().filter(|other| *other == c).count() == 1;
            letters.iter().filter(|c| once(c)).collect()
        });
        let mut labels: Vec<(char, Label)> = Vec::new();
        let mut numbered = Vec::new();
        for (part, dims) in parts.iter().zip(operands) {
            if part.chars().count() != dims.len() {
                return Err(wrong(format!("`{part}` does not fit an operand of shape {dims:?}")));
            }
            let mut operand = Vec::new();
            for (c, &dim) in part.chars().zip(*dims) {
                match labels.iter().find(|(known, _)| *known == c) {
                    Some((_, label)) if label.dim() == dim => operand.push(*label),
                    Some((_, label)) => return Err(wrong(format!("`{c}` is {} and {dim}", label.dim()))),
                    None => {
                        labels.push((c, Label::new(dim)));
                        operand.push(labels[labels.len() - 1].1);
                    }
                }
            }
            numbered.push(operand);
        }
        let find = |c: char| {
            let label = labels.iter().find(|(known, _)| *known == c).map(|(_, label)| *label);
            label.ok_or_else(|| wrong(format!("the output has `{c}`, which no operand has")))
        };
        let out: Result<Vec<Label>> = right.chars().map(find).collect();
        Ok(Einsum::from_labels(Coef::one(), &numbered, &out?))
    }

    /// A letter for each label: i to z, then the others of the alphabet, then those of the alphabets behind it. All of them are
    /// letters of a specification, and none means anything to a terminal.
    fn letters(&self, labels: &[usize]) -> String {
        let behind = ('À'..='\u{10ffff}').filter(|letter| letter.is_alphabetic());
        let alphabet = ('i'..='z').chain('a'..='h').chain('A'..='Z').chain(behind);
        labels.iter().map(|&label| alphabet.clone().nth(label).unwrap_or('?')).collect()
    }
}

impl Op for Einsum {
    fn name(&self) -> &'static str {
        self.name
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        if inputs.len() > MOST_OPERANDS {
            let message = format!(
                "{}: a product of {} operands; {MOST_OPERANDS} are the most",
                self.name,
                inputs.len()
            );
            return Err(Error::new(message).with_hint("give a part of the product a name of its own"));
        }
        let fits = |(spec, labels): (&&Spec, &Vec<usize>)| {
            spec.dims.len() == labels.len()
                && spec.dims.iter().zip(labels).all(|(dim, &label)| *dim == self.dims[label])
        };
        if inputs.len() != self.operands.len() || !inputs.iter().zip(&self.operands).all(fits) {
            let shapes: Vec<&[Dim]> = inputs.iter().map(|spec| spec.dims.as_slice()).collect();
            return Err(Error::new(format!(
                "{}: the labels do not fit operands of shapes {shapes:?}",
                self.name
            )));
        }
        let dtype = inputs.iter().map(|spec| spec.dtype).reduce(promote);
        let dtype = dtype.ok_or_else(|| Error::new(format!("{}: there is no operand", self.name)))?;
        // The mean of integers is none, nor is what a derivative makes of them.
        let is_fraction = self.coef.value().fract() != 0.0;
        let dtype = if dtype == DType::I64 && is_fraction { DType::F64 } else { dtype };
        Ok(vec![Spec::new(self.out.iter().map(|&label| self.dims[label]).collect(), dtype)])
    }

    fn sums_products(&self) -> bool {
        self.coef.value().fract() == 0.0
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let product = self.product(inputs)?;
        if !self.gates.contains(&true) || product.all_finite() {
            return Ok(vec![product]);
        }
        // What is multiplied by a structural zero is not there: the product without what is not finite, and the entries that some of that
        // comes into all the same.
        let gate = |k: usize| self.gates.get(k).copied().unwrap_or(false);
        let each = |of: &dyn Fn(usize, &Array) -> Result<Array>| -> Result<Vec<Array>> {
            inputs.iter().enumerate().map(|(k, x)| of(k, x)).collect()
        };
        let finite = each(&|_, x| {
            let is = |x: f64| x.is_finite();
            Ok(x.map(|x| if is(x.into()) { x } else { 0.0 }, |x| if is(x) { x } else { 0.0 })?)
        })?;
        let mut entries = self.product(&finite.iter().collect::<Vec<_>>())?.to_vec_f64();
        let product = product.to_vec_f64();
        for odd in (0..inputs.len()).filter(|&k| !inputs[k].all_finite()) {
            let there = each(&|k, x| match (k == odd, gate(k)) {
                (true, _) => Ok(x.map(|x| f32::from(!x.is_finite()), |x| f64::from(!x.is_finite()))?),
                (_, true) => Ok(x.map(|x| f32::from(x != 0.0), |x| f64::from(x != 0.0))?),
                _ => Ok(Array::ones(x.shape(), x.dtype())?),
            })?;
            let count = self.product(&there.iter().collect::<Vec<_>>())?.to_vec_f64();
            (0..entries.len()).filter(|&p| count[p] != 0.0).for_each(|p| entries[p] = product[p]);
        }
        let shape: Vec<usize> = self.out.iter().map(|&label| self.dims[label].size()).collect();
        Ok(vec![Array::from_vec(&shape, entries)?.cast(inputs[0].dtype())?])
    }

    fn recipe(&self, inputs: &[usize], recipe: &mut Recipe) -> Option<usize> {
        let dtype = recipe.float(inputs)?;
        if self.gates.contains(&true) || !self.has_no_diagonal() {
            return None;
        }
        let mut operands: Vec<(usize, Vec<usize>)> =
            inputs.iter().copied().zip(self.operands.iter().cloned()).collect();
        for (a, b, kept) in self.steps() {
            let (second, first) = (operands.remove(b), operands.remove(a));
            operands.push((self.contracted(1.0, vec![first, second], &kept, dtype, recipe), kept));
        }
        Some(self.contracted(self.coef.value(), operands, &self.out, dtype, recipe))
    }

    fn gates(&self, _inputs: &[bool]) -> bool {
        self.gates.contains(&true)
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let labels: Vec<Label> = self.dims.iter().map(|&dim| Label::new(dim)).collect();
        let of = |numbers: &[usize]| -> Vec<Label> { numbers.iter().map(|&k| labels[k]).collect() };
        let others = self.operands.iter().zip(at.inputs()).enumerate().filter(|(k, _)| *k != at.input());
        let factors: Vec<Factor> =
            others.map(|(_, (operand, x))| Factor::Dense(x.clone(), of(operand))).collect();
        Ok(at.network().plus_term(
            self.coef.clone(),
            &of(&self.out),
            &of(&self.operands[at.input()]),
            factors,
        ))
    }

    fn written(&self, inputs: &[String]) -> String {
        match self.name {
            "einsum" => {}
            "neg" => return format!("(−{})", inputs[0]),
            "transpose" => return format!("{}.T", inputs[0]),
            name => return format!("{name}({}{})", inputs.join(", "), self.arguments),
        }
        let operands: Vec<String> = self.operands.iter().map(|labels| self.letters(labels)).collect();
        let is_own = |label: &&usize| self.operands.iter().any(|labels| labels.contains(label));
        let own: Vec<usize> = self.out.iter().filter(is_own).copied().collect();
        let body = match inputs {
            [input] if self.operands[0] == own => input.clone(),
            _ => {
                let formula = format!("{}->{}", operands.join(","), self.letters(&own));
                format!("einsum(\"{formula}\", {})", inputs.join(", "))
            }
        };
        // What no operand has is an axis along which all of it is repeated.
        let body = match own.len() == self.out.len() {
            true => body,
            false => {
                let axis = |label: &usize| if is_own(&label) { ":" } else { "None" };
                let axes: Vec<&str> = self.out.iter().map(axis).collect();
                let sizes: Vec<String> = self.out.iter().map(|&label| called(self.dims[label])).collect();
                let axes = if own.is_empty() { String::new() } else { format!("[{}]", axes.join(", ")) };
                format!("broadcast_to({body}{axes}, [{}])", sizes.join(", "))
            }
        };
        if self.coef.is_one() { body } else { format!("({} * {body})", self.coef) }
    }
}

impl Einsum {
    /// The products of two that come before the last one: the numbers of the operands, of which the second is taken away first and
    /// the result put behind the others, and the labels of the result.
    fn steps(&self) -> Vec<(usize, usize, Vec<usize>)> {
        if self.operands.len() <= 2 {
            return Vec::new();
        }
        let labels: Vec<Label> = self.dims.iter().map(|&dim| Label::new(dim)).collect();
        let of = |numbers: &[usize]| -> Vec<Label> { numbers.iter().map(|&k| labels[k]).collect() };
        let plan =
            contraction_order(&self.operands.iter().map(|o| of(o)).collect::<Vec<_>>(), &of(&self.out));
        let place = |label: &Label| labels.iter().position(|l| l == label).expect("a label of this einsum");
        let last = plan.steps.len() - 1;
        plan.steps[..last].iter().map(|(a, b, kept)| (*a, *b, kept.iter().map(place).collect())).collect()
    }

    /// Does each operand have each label once, and the result too?
    fn has_no_diagonal(&self) -> bool {
        let once =
            |labels: &Vec<usize>| labels.iter().enumerate().all(|(k, label)| !labels[..k].contains(label));
        self.operands.iter().chain([&self.out]).all(once)
    }

    /// What [`Array::contract`] does with one operand or two, as kernels.
    fn contracted(
        &self,
        coef: f64,
        operands: Vec<(usize, Vec<usize>)>,
        out: &[usize],
        dtype: DType,
        recipe: &mut Recipe,
    ) -> usize {
        let sets: Vec<Vec<usize>> = operands.iter().map(|(_, labels)| labels.clone()).collect();
        let mut operands = operands.into_iter().enumerate().map(|(at, (value, labels))| {
            // What nobody else has is summed beforehand.
            let other =
                |label: &usize| sets.iter().enumerate().any(|(k, labels)| k != at && labels.contains(label));
            let keeps = |label: &usize| out.contains(label) || other(label);
            let axes: Vec<usize> = (0..labels.len()).filter(|&axis| !keeps(&labels[axis])).collect();
            let kept: Vec<usize> = labels.iter().copied().filter(keeps).collect();
            (recipe.sum(value, &axes, false), kept)
        });
        let first = operands.next().expect("an einsum has an operand");
        let second = operands.next();
        drop(operands);
        let scaled = |value: usize, recipe: &mut Recipe| match coef {
            1.0 => value,
            _ => {
                let coef = recipe.number(coef, dtype);
                recipe.pairs(&MUL.lines, value, coef)
            }
        };
        let Some(second) = second else {
            let value = scaled(first.0, recipe);
            return self.spread(value, &first.1, out, recipe);
        };
        let ((a, left), (b, right)) = (first, second);
        let labels: Vec<usize> =
            out.iter().copied().filter(|label| left.contains(label) || right.contains(label)).collect();
        let inner: Vec<usize> =
            left.iter().copied().filter(|label| right.contains(label) && !out.contains(label)).collect();
        if inner.is_empty() {
            let (a, b) = (self.spread(a, &left, &labels, recipe), self.spread(b, &right, &labels, recipe));
            let product = recipe.pairs(&MUL.lines, a, b);
            let value = scaled(product, recipe);
            return self.spread(value, &labels, out, recipe);
        }
        if left.len() == right.len() && left.iter().all(|label| right.contains(label)) {
            let b = self.spread(b, &right, &left, recipe);
            let product = recipe.pairs(&MUL.lines, a, b);
            let axes: Vec<usize> = (0..left.len()).filter(|&axis| inner.contains(&left[axis])).collect();
            let kept: Vec<usize> = left.iter().copied().filter(|label| !inner.contains(label)).collect();
            let sum = recipe.sum(product, &axes, false);
            let value = scaled(sum, recipe);
            return self.spread(value, &kept, out, recipe);
        }
        let numbers = |labels: &[usize]| -> Vec<u32> { labels.iter().map(|&label| label as u32).collect() };
        let value = recipe.contract(coef, [(a, numbers(&left)), (b, numbers(&right))], numbers(&labels));
        self.spread(value, &labels, out, recipe)
    }

    /// A value with these labels under others, among which are all of them; along the others it is repeated.
    fn spread(&self, value: usize, labels: &[usize], out: &[usize], recipe: &mut Recipe) -> usize {
        let axes = out.iter().map(|label| labels.iter().position(|l| l == label)).collect();
        recipe.view(value, axes, out.iter().map(|&label| self.dims[label].size()).collect())
    }

    /// The sum of products.
    fn product(&self, inputs: &[&Array]) -> Result<Array> {
        let sizes: Vec<(u32, usize)> =
            self.dims.iter().enumerate().map(|(k, dim)| (k as u32, dim.size())).collect();
        let numbers = |labels: &[usize]| -> Vec<u32> { labels.iter().map(|&label| label as u32).collect() };
        let mut operands: Vec<(Array, Vec<u32>)> =
            inputs.iter().zip(&self.operands).map(|(&x, labels)| (x.clone(), numbers(labels))).collect();
        let out = numbers(&self.out);
        for (a, b, kept) in self.steps() {
            let (second, second_labels) = operands.remove(b);
            let (first, first_labels) = operands.remove(a);
            let kept = numbers(&kept);
            let product =
                Array::contract(1.0, &[(&first, &first_labels), (&second, &second_labels)], &kept, &sizes)?;
            operands.push((product, kept));
        }
        let operands: Vec<(&Array, &[u32])> =
            operands.iter().map(|(x, labels)| (x, labels.as_slice())).collect();
        Ok(Array::contract(self.coef.value(), &operands, &out, &sizes)?)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "einsum(spec: text, *operands)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let operands = args.values("operands")?;
        Val::einsum(&args.text("spec")?, &operands.iter().collect::<Vec<_>>())
    },
    samples: || {
        vec![
            Sample::normal("einsum: a product", [&[2, 3], &[3, 5]], |x| {
                Val::einsum("ij,jk->ik", &[&x[0], &x[1]])
            }),
            Sample::normal("einsum: a diagonal read", [&[3, 3]], |x| Val::einsum("ii->i", &[&x[0]])),
            Sample::normal("einsum: a diagonal written", [&[3]], |x| Val::einsum("i->ii", &[&x[0]])),
            Sample::normal("einsum: a batch", [&[2, 3, 3], &[3, 5]], |x| {
                Val::einsum("bii,ij->bj", &[&x[0], &x[1]])
            }),
            Sample::normal("einsum: three operands", [&[2, 3], &[3, 5], &[5]], |x| {
                Val::einsum("ij,jk,k->i", &[&x[0], &x[1], &x[2]])
            }),
            Sample::normal("einsum: an ellipsis, broadcast", [&[1, 2, 3], &[4, 3, 2]], |x| {
                Val::einsum("...ij,...jk->...ik", &[&x[0], &x[1]])
            }),
            Sample::normal("einsum: with itself", [&[2, 3]], |x| Val::einsum("ij,ij->", &[&x[0], &x[0]])),
        ]
    },
};

impl Val {
    /// A sum of products in index notation, as `numpy.einsum`; a letter may also repeat in the output, `...` stands for axes without a
    /// letter, and an axis of size 1 goes with a longer one.
    ///
    /// # Errors
    /// Where the specification does not fit the operands.
    pub fn einsum(spec: &str, operands: &[&Val]) -> Result<Val> {
        let dims: Vec<&[Dim]> = operands.iter().map(|operand| operand.dims()).collect();
        let (spec, dropped) = spelled_out(spec, &dims)?;
        let without = |(operand, axes): (&&Val, &Vec<usize>)| {
            axes.iter().try_fold((*operand).clone(), |x, &axis| x.squeeze(Some(axis)))
        };
        let operands = operands.iter().zip(&dropped).map(without).collect::<Result<Vec<Val>>>()?;
        let dims: Vec<&[Dim]> = operands.iter().map(Val::dims).collect();
        Val::apply(Einsum::from_spec(&spec, &dims)?, &operands.iter().collect::<Vec<_>>())
    }

    /// One operand under other labels: what sums, broadcasts and permutes axes.
    pub(crate) fn relabelled(
        &self,
        name: &'static str,
        arguments: String,
        coef: Coef,
        labels: &[Label],
        out: &[Label],
    ) -> Result<Val> {
        Val::apply(Einsum::from_labels(coef, &[labels.to_vec()], out).called(name, arguments), &[self])
    }
}
