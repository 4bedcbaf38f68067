"""The code that `pullback derive --code rust` writes, as one crate that is compiled and run.

Each program is a module of the crate. Its functions are called with the numbers that `pullback run` draws, and what they return is held against
what `pullback run` prints: the output, and the gradients of a loss that is the output times a random cotangent. A warning of the compiler is
a failure. Needs a Rust toolchain; with `candle`, the operation is called too, and candle has to be built.
"""
import os
import re
import subprocess
import unicodedata

import numpy as np

MANIFEST = """[package]
name = "exported"
version = "0.1.0"
edition = "2024"

[dependencies]
ndarray = {{ version = "0.17", default-features = false, features = ["std"] }}
libm = "0.2"
{candle}
"""

SHOW = """
fn show<D: ndarray::Dimension, T: std::fmt::Debug>(case: usize, name: &str, array: ndarray::Array<T, D>) {
    println!("{case}\\t{name}\\t{:?}\\t{:?}", array.shape(), array.iter().collect::<Vec<_>>());
}
"""


def parameters(code):
    """Names and types of what `forward` takes, and the type of what it returns."""
    found = re.search(r"pub fn forward(?:<'a>)?\((.*?)\) -> \((.*?), Saved", code, re.S)
    pairs = re.findall(r"(\w+): ([\w]+(?:<[^>]*>)?)", found.group(1))
    return [(name, kind.replace("'a, ", "")) for name, kind in pairs], found.group(2)


def names(source):
    """The names that a program binds, by what they are in Rust: Greek letters are spelt."""

    def spelt(letter):
        called = unicodedata.name(letter, "").split()
        name = called[-1].lower() if called and called[0] == "GREEK" else letter
        return name.capitalize() if "CAPITAL" in called and called[0] == "GREEK" else name

    return {"".join(map(spelt, name)): name for name in re.findall(r"^\s*(\w+)\s*[:=]", source, re.M)}


def literal(value, kind):
    value = np.asarray(value, float)
    whole = "i64" in kind or kind == "usize"
    numbers = [str(int(x)) if whole else repr(float(x)) for x in value.reshape(-1)]
    if "Array" not in kind:
        return numbers[0]
    rank = re.search(r"Array(?:View)?(\d|D)", kind).group(1)
    shape = f"({''.join(f'{n}, ' for n in value.shape)})" if rank != "D" else f"vec!{list(value.shape)}"
    element = re.search(r"<(\w+)>", kind).group(1)
    return f"ndarray::Array::<{element}, _>::from_shape_vec({shape}, vec![{', '.join(numbers)}]).unwrap()"


def passed(expression, kind):
    return f"{expression}.view()" if "Array" in kind else expression


def shown(expression, kind):
    return expression if "Array" in kind else f"ndarray::arr0({expression})"


def gradients(code):
    block = re.search(r"pub struct Gradients \{(.*?)\}", code, re.S)
    return re.findall(r"pub (\w+): (.*?),\n", block.group(1)) if block else []


class Crate:
    def __init__(self, folder, candle):
        self.folder, self.candle, self.bodies, self.expected, self.codes = folder, candle, [], {}, []

    def add(self, case, code, values, cotangent, expected):
        inputs, returned = parameters(code)
        self.codes.append(code)
        number = len(self.codes) - 1
        lines = [f"let x{k} = {literal(values[k], kind)};" for k, (name, kind) in enumerate(inputs)]
        arguments = ", ".join(passed(f"x{k}", kind) for k, (_, kind) in enumerate(inputs))
        lines.append(f"let (output, saved) = exported::case_{number}::forward({arguments});")
        lines.append(f"let cotangent = {literal(cotangent, returned)};")
        lines.append(f"let gradients = exported::case_{number}::backward(&saved, {passed('cotangent', returned)});")
        for k, (name, kind) in enumerate(gradients(code)):
            lines.append(f'show({number}, "gradient {k}", {shown(f"gradients.{name}.clone()", kind)});')
        lines.append(f'show({number}, "output", {shown("output", returned)});')
        if self.candle and "impl candle_core::CustomOp" in code:
            lines += self.operation(number, code, inputs, returned)
        body = "\n    ".join(lines)
        self.bodies.append(f"fn run_{number}() {{\n    {body}\n}}\n")
        self.expected[number] = (case, expected, "f32" in returned)

    def operation(self, number, code, inputs, returned):
        lines = []
        for k, (_, kind) in enumerate(inputs):
            array = shown(f"x{k}.clone()", kind)
            variable = "candle_core::Var::from_tensor(&{}).unwrap()" if "i64" not in kind else "{}"
            made = f"{{ let a = {array}; candle_core::Tensor::from_iter(a.iter().copied(), &candle_core::Device::Cpu).unwrap().reshape(a.shape()).unwrap() }}"
            lines.append(f"let t{k} = {variable.format(made)};")
        others = "".join(f"&t{k}, " for k in range(1, len(inputs)))
        lines.append(f"let result = t0.apply_op{len(inputs)}({others}exported::case_{number}::Layer).unwrap();")
        lines.append(f"let c = {shown('cotangent', returned)};")
        lines.append("let c = candle_core::Tensor::from_iter(c.iter().copied(), result.device()).unwrap().reshape(c.shape()).unwrap();")
        lines.append("let store = (&result * &c).unwrap().sum_all().unwrap().backward().unwrap();")
        places = {name.strip("_"): k for k, (name, _) in enumerate(inputs)}
        for number_of_it, (name, kind) in enumerate(gradients(code)):
            element = "f32" if "f32" in kind else "f64"
            k = places[name.rstrip("_")]
            lines.append(f"let g = store.get(&t{k}).unwrap();")
            lines.append(f'show({number}, "gradient {number_of_it}", ndarray::ArrayD::from_shape_vec(g.dims(), g.flatten_all().unwrap().to_vec1::<{element}>().unwrap()).unwrap());')
        return lines

    def run(self):
        """The verdict of each case: whether it is right, and what is wrong."""
        source = os.path.join(self.folder, "src")
        os.makedirs(source, exist_ok=True)
        with open(os.path.join(self.folder, "Cargo.toml"), "w") as file:
            file.write(MANIFEST.format(candle='candle-core = "0.11"' if self.candle else ""))
        modules = [f"pub mod case_{k};" for k in range(len(self.codes))]
        with open(os.path.join(source, "lib.rs"), "w") as file:
            file.write("#![deny(warnings)]\n" + "\n".join(modules) + "\n")
        for k, code in enumerate(self.codes):
            with open(os.path.join(source, f"case_{k}.rs"), "w") as file:
                file.write(code)
        calls = "".join(f"    run_{k}();\n" for k in range(len(self.codes)))
        with open(os.path.join(source, "main.rs"), "w") as file:
            file.write(SHOW + "\n".join(self.bodies) + f"\nfn main() {{\n{calls}}}\n")
        ran = subprocess.run(["cargo", "run", "--quiet"], cwd=self.folder, capture_output=True, text=True)
        if ran.returncode:
            print(ran.stderr[:8000])
        results = {}
        for line in ran.stdout.splitlines():
            number, name, shape, numbers = line.split("\t")
            read = lambda text: [float(x) for x in text.strip("[]").split(",") if x.strip()]
            results.setdefault(int(number), []).append((name, np.array(read(numbers)).reshape([int(n) for n in read(shape)])))
        for number, (case, expected, single) in self.expected.items():
            wrong = self.wrong(results.get(number, []), expected, 2e-4 if single else 1e-6)
            yield case, wrong

    @staticmethod
    def wrong(got, expected, tolerance):
        if not any(name == "output" for name, _ in got):
            return "it was not compiled, or did not end"
        for name, value in got:
            one = expected[name]
            scale = max(1.0, float(np.max(np.abs(one), initial=0.0)))
            if value.shape != one.shape or not np.all(np.abs(value - one) <= tolerance * scale):
                return f"the {name} differs"
        return ""
