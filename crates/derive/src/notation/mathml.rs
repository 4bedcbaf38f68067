//! Notation as MathML, which browsers draw without a script or a network.

use super::Math;

impl Math {
    /// As the content of a `<math>` element.
    pub fn mathml(&self) -> String {
        match self {
            Math::Word(text) => format!("<mi>{}</mi>", escaped(text)),
            Math::Number(text) => format!("<mn>{}</mn>", escaped(text)),
            Math::Code(text) => format!("<mtext><code>{}</code></mtext>", escaped(text)),
            Math::Operator(sign) | Math::Sign(sign) => format!("<mo>{}</mo>", escaped(sign)),
            Math::Product(factors) => {
                let parts: Vec<String> = factors.iter().map(Math::mathml).collect();
                row(&parts.join("<mspace width=\"0.2em\"/>"))
            }
            Math::Row(parts) => row(&parts.iter().map(Math::mathml).collect::<String>()),
            Math::Fraction(above, below) => {
                format!("<mfrac>{}{}</mfrac>", row(&above.mathml()), row(&below.mathml()))
            }
            Math::Super(base, exponent) => {
                format!("<msup>{}{}</msup>", row(&base.mathml()), row(&exponent.mathml()))
            }
            Math::Step(name, step) => {
                format!("<msub><mi>{}</mi>{}</msub>", escaped(name), row(&step.mathml()))
            }
            Math::Sub(base, at) if matches!(&**base, Math::Step(..)) => {
                let letters: String = at.iter().map(Math::mathml).collect();
                let Math::Step(name, step) = &**base else { return String::new() };
                let indices = row(&format!("{}<mo>,</mo>{letters}", step.mathml()));
                format!("<msub><mi>{}</mi>{indices}</msub>", escaped(name))
            }
            Math::Sub(base, at) => {
                let letters: String = at.iter().map(Math::mathml).collect();
                match &**base {
                    Math::Fraction(above, below) if base.is_slope() => format!(
                        "<mfrac>{}<msub>{}{}</msub></mfrac>",
                        row(&above.mathml()),
                        row(&below.mathml()),
                        row(&letters)
                    ),
                    base => {
                        format!("<msub>{}{}</msub>", row(&base.clone().grouped().mathml()), row(&letters))
                    }
                }
            }
            Math::Root(inner) => format!("<msqrt>{}</msqrt>", inner.mathml()),
            Math::Bracketed(inner) => fenced("(", &inner.mathml(), ")"),
            Math::Fenced(open, inner, close) => fenced(open, &inner.mathml(), close),
            Math::Call(function, arguments) => {
                let arguments: Vec<String> = arguments.iter().map(Math::mathml).collect();
                row(&format!("{}{}", function.mathml(), fenced("(", &arguments.join("<mo>,</mo>"), ")")))
            }
            Math::Sum(index, to) => format!(
                "<munderover><mo>∑</mo>{}{}</munderover>",
                row(&format!("<mi>{}</mi><mo>=</mo><mn>1</mn>", escaped(index))),
                row(&to.mathml())
            ),
        }
    }
}

fn row(inner: &str) -> String {
    format!("<mrow>{inner}</mrow>")
}

fn fenced(open: &str, inner: &str, close: &str) -> String {
    row(&format!("<mo>{}</mo>{inner}<mo>{}</mo>", escaped(open), escaped(close)))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
