//! Trees as S-expressions: every node in parentheses, so that no precedence is left to the reader.

use pullback_lang::{
    DimSpec, Expr, ExprKind, IndexItem, Inner, Input, Name, Scan, Shape, Source, Statement, StatementKind,
};

pub fn statement(statement: &Statement) -> String {
    match &statement.kind {
        StatementKind::Seed(seed) => format!("(seed {seed})"),
        StatementKind::DType(dtype) => format!("(dtype {dtype:?})"),
        StatementKind::Input(Input { name, shape, source: from }) => match shape {
            Some(shape) => format!("(input {name} {} {})", dims(shape), source(from)),
            None => format!("(input {name} {})", source(from)),
        },
        StatementKind::Definition(it) => format!("(define {} {})", it.name, expr(&it.expr)),
        StatementKind::Definitions(it) => format!("(define ({}) {})", names(&it.names), expr(&it.expr)),
        StatementKind::IndexDefinition(it) => {
            format!("(define {}[{}] {})", it.name, names(&it.indices), expr(&it.expr))
        }
        StatementKind::Function(it) => {
            format!("(fn {} {}{})", it.signature(), inner(&it.inside), expr(&it.body))
        }
        StatementKind::Scan(it) => scan(it),
        StatementKind::Upstream(it) => {
            format!("(given {} by {} {} {})", it.of, it.wrt, dims(&it.shape), source(&it.source))
        }
        StatementKind::Claim(it) => {
            let key = &it.key;
            let mut head = format!("{} by {} {:?}", key.of, names(&key.wrt), key.layout);
            if !key.fixed.is_empty() {
                head.push_str(&format!(" fixed {}", names(&key.fixed)));
            }
            format!("(claim {head} {})", expr(&it.expr))
        }
        StatementKind::EntryClaim(it) => {
            let (above, below) = (names(&it.of_indices), names(&it.wrt_indices));
            format!("(claim {}[{above}] by {}[{below}] {})", it.of, it.wrt, expr(&it.expr))
        }
        StatementKind::ShapeClaim(it) => {
            format!("(shape {} by {} [{}])", it.of, names(&it.wrt), exprs(&it.sizes))
        }
        StatementKind::Expression(it) => expr(it),
    }
}

fn scan(it: &Scan) -> String {
    let carries: Vec<String> =
        it.carries.iter().map(|(name, start)| format!("({name} {})", expr(start))).collect();
    let (head, all) = (format!("{} {}", it.index, expr(&it.length)), names(&it.all));
    format!("(scan {head} {} -> [{all}] {})", carries.join(" "), inner(&it.body).trim_end())
}

fn inner(them: &[Inner]) -> String {
    let of = |it: &Inner| match it {
        Inner::Definitions(it) => format!("({} {}) ", names(&it.names), expr(&it.expr)),
        Inner::Scan(it) => format!("{} ", scan(it)),
    };
    them.iter().map(of).collect()
}

pub fn expr(it: &Expr) -> String {
    match &it.kind {
        ExprKind::Number { value, integer: true } => format!("{value}"),
        ExprKind::Number { value, integer: false } => format!("{value:?}"),
        ExprKind::Name(name) => name.clone(),
        ExprKind::Text(text) => format!("{text:?}"),
        ExprKind::Bool(value) => format!("#{value}"),
        ExprKind::Negate(operand) => format!("(neg {})", expr(operand)),
        ExprKind::Binary { operator, left, right } => {
            format!("({} {} {})", operator.kind.symbol(), expr(left), expr(right))
        }
        ExprKind::Transpose(operand) => format!("(T {})", expr(operand)),
        ExprKind::Index { base, items } => {
            let items: Vec<String> = items.iter().map(item).collect();
            format!("(at {} [{}])", expr(base), items.join(" "))
        }
        ExprKind::Call { function, args, kwargs } => {
            let mut parts = vec![format!("call {function}")];
            parts.extend(args.iter().map(expr));
            parts.extend(kwargs.iter().map(|(keyword, value)| format!("{keyword}={}", expr(value))));
            format!("({})", parts.join(" "))
        }
        ExprKind::List(items) => format!("[{}]", exprs(items)),
        ExprKind::ClaimRef { of, wrt } => format!("(ref {of} by {})", names(wrt)),
    }
}

fn item(it: &IndexItem) -> String {
    let bound = |it: &Option<Box<Expr>>| it.as_deref().map_or(String::new(), expr);
    match it {
        IndexItem::At(at) => expr(at),
        IndexItem::Slice { start, stop, step } => format!("{}:{}:{}", bound(start), bound(stop), bound(step)),
        IndexItem::Ellipsis => "...".to_owned(),
        IndexItem::NewAxis => "new".to_owned(),
    }
}

fn dims(shape: &Shape) -> String {
    let dims: Vec<String> = shape
        .dims
        .iter()
        .map(|dim| match dim {
            DimSpec::Bind { name, size } => format!("{name}:={}", expr(size)),
            DimSpec::Dim(name) => format!("dim {name}"),
            DimSpec::Size(size) => expr(size),
        })
        .collect();
    format!("<{}>", dims.join(", "))
}

fn source(it: &Source) -> String {
    match it {
        Source::Distribution { name, args } if args.is_empty() => format!("~{name}"),
        Source::Distribution { name, args } => format!("~{name}({})", exprs(args)),
        Source::Literal(value) => expr(value),
        Source::Load { path, entry: None, .. } => format!("(load {path:?})"),
        Source::Load { path, entry: Some(entry), .. } => format!("(load {path:?} {entry:?})"),
    }
}

fn names(names: &[Name]) -> String {
    names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn exprs(items: &[Expr]) -> String {
    items.iter().map(expr).collect::<Vec<_>>().join(" ")
}
