//! Names for what a line would say twice: `dh = dL/dy * g` before `dL/dx = (dh - mean(dh) - h * mean(dh * h)) / r`.

use pullback_lang::program::{Scope, evaluate};
use pullback_lang::{Expr, ExprKind, Names, Span, make};

use super::Stage;

/// What has fewer parts is said again.
const FEWEST_PARTS: usize = 3;

/// So many pieces of one line have names at most.
const MOST_PIECES: usize = 3;

/// The stages with a stage of its own before each for what stands in it several times. `scope` has the values of the program, and
/// `references` a value for each cotangent; `taken` says which names there are.
pub fn with_pieces(stages: Vec<Stage>, scope: &Scope, taken: &Names) -> Vec<Stage> {
    let mut all = Vec::new();
    let mut scope = scope.clone();
    let mut count = 0;
    for stage in &stages {
        if let Ok(symbol) = pullback_array::Array::zeros(
            &stage.dims.iter().map(|dim| dim.size()).collect::<Vec<_>>(),
            pullback_array::DType::F64,
        ) && let Ok(value) = pullback_ops::Val::with_dims(symbol, &stage.dims)
        {
            scope.define(&called(&stage.left), value);
        }
    }
    for mut stage in stages {
        let Some(mut code) = stage.code.clone() else {
            all.push(stage);
            continue;
        };
        let mut pieces = Vec::new();
        while pieces.len() < MOST_PIECES
            && let Some(piece) = repeated(&code)
        {
            let name = loop {
                count += 1;
                let name = format!("t{count}");
                if taken.get(&name).is_none() {
                    break name;
                }
            };
            // Without a shape it is no value by itself.
            let Ok(value) = evaluate(&by_names(&piece), &scope) else { break };
            let dims = value.dims().to_vec();
            scope.define(&name, value);
            let left = make::name(Span::default(), &name);
            code = replaced(&code, &piece, &left);
            pieces.push(Stage {
                left,
                of: name,
                dims,
                code: Some(piece),
                says: "a name for what stands in the next line more than once".to_owned(),
                operations: Vec::new(),
                lines: Vec::new(),
            });
        }
        if !pieces.is_empty() {
            stage.code = Some(code.clone());
            if let Some(last) = stage.lines.last_mut()
                && matches!(last.right, super::Right::Whole(_))
            {
                last.right = super::Right::Whole(code);
            }
        }
        all.extend(pieces);
        all.push(stage);
    }
    all
}

/// A name under which the value of a reference can be bound: a scope has claims for references, and these are none.
pub(crate) fn called(reference: &Expr) -> String {
    match &reference.kind {
        ExprKind::ClaimRef { of, wrt } => {
            let wrt: Vec<&str> = wrt.iter().map(|name| name.text.as_str()).collect();
            format!("cotangent_of_{}_by_{}", of.text, wrt.join("_"))
        }
        ExprKind::Name(name) => name.clone(),
        _ => String::new(),
    }
}

/// An expression with names in the place of references.
pub(crate) fn by_names(expr: &Expr) -> Expr {
    if matches!(expr.kind, ExprKind::ClaimRef { .. }) {
        return make::name(expr.span, &called(expr));
    }
    let mut copy = expr.clone();
    for child in copy.children_mut() {
        *child = by_names(child);
    }
    copy
}

/// The largest part that stands in an expression more than once.
fn repeated(expr: &Expr) -> Option<Expr> {
    let mut parts: Vec<(&Expr, usize)> = Vec::new();
    expr.walk(&mut |part| {
        let is_value = !matches!(part.kind, ExprKind::List(_) | ExprKind::Text(_) | ExprKind::Number { .. });
        if !is_value || part.parts() < FEWEST_PARTS {
            return;
        }
        match parts.iter_mut().find(|(known, _)| *known == part) {
            Some((_, times)) => *times += 1,
            None => parts.push((part, 1)),
        }
    });
    let several = parts.into_iter().filter(|(part, times)| *times > 1 && has_value(part));
    several.max_by_key(|(part, _)| part.parts()).map(|(part, _)| part.clone())
}

/// Is there a value in it, and not sizes and numbers alone?
fn has_value(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |part| {
        found |= matches!(part.kind, ExprKind::ClaimRef { .. } | ExprKind::Call { .. } | ExprKind::Name(_))
    });
    found
}

fn replaced(expr: &Expr, piece: &Expr, by: &Expr) -> Expr {
    if expr == piece {
        return by.clone();
    }
    let mut copy = expr.clone();
    for child in copy.children_mut() {
        *child = replaced(child, piece, by);
    }
    copy
}
