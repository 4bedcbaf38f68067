//! What ndarray has no function for. A module that is exported gets those of these functions that it uses; nothing here is compiled into
//! Pullback. Each block between two empty lines is one function, with what is said of it.

/// Two arrays entry by entry, as broadcast against each other.
fn entrywise<A: Clone, B: Clone, C, D, E>(
    a: &ArrayRef<A, D>,
    b: &ArrayRef<B, E>,
    f: impl Fn(A, B) -> C,
) -> Array<C, <D as DimMax<E>>::Output>
where
    D: Dimension + DimMax<E>,
    E: Dimension,
{
    let rank = a.ndim().max(b.ndim());
    let size = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |k| shape[k]);
    let shape: Vec<usize> = (0..rank)
        .map(|axis| match size(a.shape(), axis) {
            1 => size(b.shape(), axis),
            size => size,
        })
        .collect();
    let shape = <D as DimMax<E>>::Output::from_dimension(&IxDyn(&shape)).unwrap();
    let (a, b) = (a.broadcast(shape.clone()).unwrap(), b.broadcast(shape).unwrap());
    Zip::from(a).and(b).map_collect(|a, b| f(a.clone(), b.clone()))
}

/// Where the condition is not zero the one, elsewhere the other.
fn select<C, D, E>(
    condition: &ArrayRef<f64, C>,
    a: &ArrayRef<f64, D>,
    b: &ArrayRef<f64, E>,
) -> Array<f64, <C as DimMax<<D as DimMax<E>>::Output>>::Output>
where
    C: Dimension + DimMax<<D as DimMax<E>>::Output>,
    D: Dimension + DimMax<E>,
    E: Dimension,
{
    let both = entrywise(a, b, |a, b| (a, b));
    entrywise(condition, &both, |condition, (a, b)| if condition != 0.0 { a } else { b })
}

fn maximum(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

fn minimum(a: f64, b: f64) -> f64 {
    if a.is_nan() || a < b { a } else { b }
}

fn relu(x: f64) -> f64 {
    if x > 0.0 || x.is_nan() { x } else { 0.0 }
}

fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

fn step(x: f64) -> f64 {
    f64::from(x > 0.0)
}

fn truth(x: f64) -> f64 {
    f64::from(x != 0.0)
}

fn max(lane: ArrayView1<f64>) -> f64 {
    lane.fold(f64::NEG_INFINITY, |largest, &x| if x > largest || x.is_nan() { x } else { largest })
}

fn logsumexp(lane: ArrayView1<f64>) -> f64 {
    let largest = max(lane);
    if largest.is_infinite() {
        largest
    } else {
        lane.fold(0.0, |sum, x| sum + (x - largest).exp()).ln() + largest
    }
}

fn norm(lane: ArrayView1<f64>, p: f64) -> f64 {
    lane.fold(0.0, |sum, x| sum + x.abs().powf(p)).powf(1.0 / p)
}

fn var(lane: ArrayView1<f64>, correction: f64) -> f64 {
    lane.var(correction)
}

fn std(lane: ArrayView1<f64>, correction: f64) -> f64 {
    lane.std(correction)
}

/// Some axes as the last one.
fn merged<R: Dimension>(x: &ArrayRef<f64, impl Dimension>, axes: &[usize]) -> Array<f64, R> {
    let mut order: Vec<usize> = (0..x.ndim()).filter(|axis| !axes.contains(axis)).collect();
    let mut shape: Vec<usize> = order.iter().map(|&axis| x.shape()[axis]).collect();
    shape.push(axes.iter().map(|&axis| x.shape()[axis]).product());
    order.extend(axes);
    let moved = x.view().into_dyn().permuted_axes(order);
    moved.to_shape(shape).unwrap().to_owned().into_dimensionality().unwrap()
}

fn softmax<D: Dimension>(x: &ArrayRef<f64, D>, axis: Axis) -> Array<f64, D> {
    let mut p = x.to_owned();
    for mut lane in p.lanes_mut(axis) {
        let largest = max(lane.view());
        lane.mapv_inplace(|x| (x - largest).exp());
        let sum = lane.sum();
        lane.mapv_inplace(|e| e / sum);
    }
    p
}

/// Running sums, from the last entry where they are reversed.
fn cumsum<D: Dimension>(x: &ArrayRef<f64, D>, axis: Axis, reverse: bool) -> Array<f64, D> {
    let mut sums = x.to_owned();
    if reverse {
        sums.invert_axis(axis);
    }
    sums.accumulate_axis_inplace(axis, |&before, sum| *sum += before);
    if reverse {
        sums.invert_axis(axis);
    }
    sums
}

/// The share of each entry in the maximum over axes: one, or that of several which are equally large.
fn tie_share<D: Dimension>(x: &ArrayRef<f64, D>, axes: &[usize]) -> Array<f64, D> {
    let along = |x: ArrayD<f64>, f: fn(ArrayView1<f64>) -> f64| {
        axes.iter().fold(x, |x, &axis| x.map_axis(Axis(axis), f).insert_axis(Axis(axis)))
    };
    let x = x.to_owned().into_dyn();
    let ties = entrywise(&x, &along(x.clone(), max), |x, largest| f64::from(x == largest));
    let count = along(ties.clone(), |lane| lane.sum());
    (ties / count).into_dimensionality().unwrap()
}

/// Rows in another order and factors, such that L U is A with its rows in that order; and the parity of that order.
fn lu(a: &ArrayRef2<f64>) -> (Array2<f64>, Vec<usize>, f64) {
    let n = a.nrows();
    let (mut factors, mut order, mut parity) = (a.to_owned(), (0..n).collect::<Vec<usize>>(), 1.0);
    for k in 0..n {
        let largest =
            (k..n).max_by(|&i, &j| factors[[i, k]].abs().total_cmp(&factors[[j, k]].abs())).unwrap_or(k);
        if largest != k {
            order.swap(k, largest);
            parity = -parity;
            for j in 0..n {
                factors.swap([k, j], [largest, j]);
            }
        }
        if factors[[k, k]] == 0.0 {
            continue;
        }
        for i in k + 1..n {
            let factor = factors[[i, k]] / factors[[k, k]];
            factors[[i, k]] = factor;
            for j in k + 1..n {
                factors[[i, j]] -= factor * factors[[k, j]];
            }
        }
    }
    (factors, order, parity)
}

/// A⁻¹ B, where B is a vector or a matrix. Of a singular A it is not finite.
fn solve<D: Dimension>(a: &ArrayRef2<f64>, b: &ArrayRef<f64, D>) -> Array<f64, D> {
    let (factors, order, _) = lu(a);
    let shape = b.raw_dim();
    let (n, columns) = (a.nrows(), b.len() / a.nrows().max(1));
    let b = b.to_shape((n, columns)).unwrap().to_owned();
    let mut x = Array2::from_shape_fn((n, columns), |(i, j)| b[[order[i], j]]);
    for j in 0..columns {
        for i in 0..n {
            x[[i, j]] -= (0..i).map(|k| factors[[i, k]] * x[[k, j]]).sum::<f64>();
        }
        for i in (0..n).rev() {
            let rest: f64 = (i + 1..n).map(|k| factors[[i, k]] * x[[k, j]]).sum();
            x[[i, j]] = (x[[i, j]] - rest) / factors[[i, i]];
        }
    }
    x.into_shape_with_order(shape).unwrap()
}

fn inv(a: &ArrayRef2<f64>) -> Array2<f64> {
    solve(a, &Array2::<f64>::eye(a.nrows()))
}

fn det(a: &ArrayRef2<f64>) -> f64 {
    let (factors, _, parity) = lu(a);
    parity * factors.diag().product()
}

/// The logarithm of the absolute value of the determinant.
fn logdet(a: &ArrayRef2<f64>) -> f64 {
    lu(a).0.diag().fold(0.0, |sum, x| sum + x.abs().ln())
}

/// The lower triangle L with L Lᵀ = A, or the upper one; NaN where there is none.
fn cholesky(a: &ArrayRef2<f64>, upper: bool) -> Array2<f64> {
    let n = a.nrows();
    let mut l = Array2::<f64>::zeros((n, n));
    for i in 0..n {
        for j in 0..=i {
            let rest: f64 = (0..j).map(|k| l[[i, k]] * l[[j, k]]).sum();
            l[[i, j]] = if i == j { (a[[i, i]] - rest).sqrt() } else { (a[[i, j]] - rest) / l[[j, j]] };
        }
    }
    if upper { l.reversed_axes() } else { l }
}

fn outer(a: &ArrayRef<f64, impl Dimension>, b: &ArrayRef<f64, impl Dimension>) -> Array2<f64> {
    let (a, b) = (a.flatten(), b.flatten());
    Array2::from_shape_fn((a.len(), b.len()), |(i, j)| a[i] * b[j])
}

/// The Kronecker product; a vector is a row.
fn kron(a: &ArrayRef<f64, impl Dimension>, b: &ArrayRef<f64, impl Dimension>) -> Array2<f64> {
    let columns = |shape: &[usize]| shape.last().copied().unwrap_or(1);
    let (m, n) = (columns(a.shape()), columns(b.shape()));
    let a = a.to_shape((a.len() / m.max(1), m)).unwrap();
    let b = b.to_shape((b.len() / n.max(1), n)).unwrap();
    let shape = (a.nrows() * b.nrows(), m * n);
    Array2::from_shape_fn(shape, |(i, j)| a[[i / b.nrows(), j / n]] * b[[i % b.nrows(), j % n]])
}

/// A matrix with a diagonal, or the diagonal of a matrix.
fn diag<R: Dimension>(x: &ArrayRef<f64, impl Dimension>, offset: isize) -> Array<f64, R> {
    let (down, right) = ((-offset).max(0) as usize, offset.max(0) as usize);
    let x = x.view().into_dyn();
    let result = if x.ndim() == 1 {
        let mut matrix = ArrayD::zeros(IxDyn(&[x.len() + down + right, x.len() + down + right]));
        for (k, &entry) in x.iter().enumerate() {
            matrix[[k + down, k + right]] = entry;
        }
        matrix
    } else {
        let count = x.shape()[0].saturating_sub(down).min(x.shape()[1].saturating_sub(right));
        ArrayD::from_shape_fn(IxDyn(&[count]), |k| x[[k[0] + down, k[0] + right]])
    };
    result.into_dimensionality().unwrap()
}

/// Products of stacks of matrices, as broadcast against each other.
fn matmul<R: Dimension>(
    a: &ArrayRef<f64, impl Dimension>,
    b: &ArrayRef<f64, impl Dimension>,
) -> Array<f64, R> {
    let (mut a, mut b) = (a.view().into_dyn(), b.view().into_dyn());
    let (is_row, is_column) = (a.ndim() == 1, b.ndim() == 1);
    if is_row {
        a = a.insert_axis(Axis(0));
    }
    if is_column {
        b = b.insert_axis(Axis(1));
    }
    let (p, q) = (a.ndim() - 2, b.ndim() - 2);
    let rank = p.max(q);
    let size = |shape: &[usize], rank_of_it: usize, axis: usize| {
        (axis + rank_of_it).checked_sub(rank).map_or(1, |axis| shape[axis])
    };
    let over: Vec<usize> = (0..rank)
        .map(|axis| match size(a.shape(), p, axis) {
            1 => size(b.shape(), q, axis),
            size => size,
        })
        .collect();
    let (m, k, n) = (a.shape()[p], a.shape()[p + 1], b.shape()[q + 1]);
    let a = a.broadcast([&over[..], &[m, k]].concat()).unwrap();
    let b = b.broadcast([&over[..], &[k, n]].concat()).unwrap();
    let count: usize = over.iter().product();
    let a = a.to_shape((count, m, k)).unwrap();
    let b = b.to_shape((count, k, n)).unwrap();
    let mut products = Array::<f64, _>::zeros((count, m, n));
    for ((mut product, a), b) in products.outer_iter_mut().zip(a.outer_iter()).zip(b.outer_iter()) {
        product.assign(&a.dot(&b));
    }
    let mut result = products.into_shape_with_order([&over[..], &[m, n]].concat()).unwrap();
    if is_column {
        result = result.remove_axis(Axis(rank + 1));
    }
    if is_row {
        result = result.remove_axis(Axis(rank));
    }
    result.into_dimensionality().unwrap()
}

/// The sum over all letters that the result does not have of the product of the entries.
fn einsum<R: Dimension>(formula: &str, operands: &[ArrayViewD<f64>]) -> Array<f64, R> {
    let (inputs, output) = formula.split_once("->").unwrap();
    let inputs: Vec<Vec<char>> = inputs.split(',').map(|labels| labels.chars().collect()).collect();
    let mut letters: Vec<char> = output.chars().collect();
    for &letter in inputs.iter().flatten() {
        if !letters.contains(&letter) {
            letters.push(letter);
        }
    }
    let place = |letter: &char| letters.iter().position(|known| known == letter).unwrap();
    let mut sizes = vec![1; letters.len()];
    for (labels, operand) in inputs.iter().zip(operands) {
        for (letter, &size) in labels.iter().zip(operand.shape()) {
            sizes[place(letter)] = size;
        }
    }
    let places: Vec<Vec<usize>> = inputs.iter().map(|labels| labels.iter().map(place).collect()).collect();
    let kept = output.chars().count();
    let mut result = ArrayD::zeros(IxDyn(&sizes[..kept]));
    for index in ndarray::indices(IxDyn(&sizes)) {
        let entry = |(operand, places): (&ArrayViewD<f64>, &Vec<usize>)| {
            operand[IxDyn(&places.iter().map(|&place| index[place]).collect::<Vec<_>>())]
        };
        let product: f64 = operands.iter().zip(&places).map(entry).product();
        result[IxDyn(&(0..kept).map(|place| index[place]).collect::<Vec<_>>())] += product;
    }
    result.into_dimensionality().unwrap()
}

/// Entries along an axis, by numbers from 0 on, or from the end where they are below 0.
fn gather<R: Dimension>(
    x: &ArrayRef<f64, impl Dimension>,
    index: &ArrayRef<i64, impl Dimension>,
    axis: Axis,
) -> Array<f64, R> {
    let x = x.view().into_dyn();
    let size = x.len_of(axis) as i64;
    let rows: Vec<usize> = index.iter().map(|&i| if i < 0 { i + size } else { i } as usize).collect();
    let shape = [&x.shape()[..axis.0], index.shape(), &x.shape()[axis.0 + 1..]].concat();
    x.select(axis, &rows).to_shape(shape).unwrap().to_owned().into_dimensionality().unwrap()
}

/// The same number before and behind along each axis.
fn pad<D: Dimension>(x: &ArrayRef<f64, D>, widths: &[(usize, usize)], value: f64) -> Array<f64, D> {
    let sizes = x.shape().iter().zip(widths).map(|(size, (before, behind))| before + size + behind);
    let mut padded = ArrayD::from_elem(sizes.collect::<Vec<_>>(), value);
    let place = |axis: usize| widths[axis].0..widths[axis].0 + x.shape()[axis];
    padded.slice_each_axis_mut(|axis| place(axis.axis.0).into()).assign(&x.view().into_dyn());
    padded.into_dimensionality().unwrap()
}

/// Zeros, to which each entry along the first axes is added where its number says.
fn scatter_add<R: Dimension>(
    x: &ArrayRef<f64, impl Dimension>,
    index: &ArrayRef<i64, impl Dimension>,
    size: usize,
) -> Array<f64, R> {
    let rest = &x.shape()[index.ndim()..];
    let mut result = ArrayD::zeros([&[size], rest].concat());
    let rows = x.to_shape([&[index.len()], rest].concat()).unwrap();
    for (row, &i) in rows.outer_iter().zip(index) {
        let at = if i < 0 { i + size as i64 } else { i } as usize;
        let mut sum = result.index_axis_mut(Axis(0), at);
        sum += &row;
    }
    result.into_dimensionality().unwrap()
}

fn of_storage<D: Dimension>(
    storage: &candle_core::CpuStorage,
    layout: &candle_core::Layout,
) -> candle_core::Result<Array<f64, D>> {
    let candle_core::CpuStorage::F64(numbers) = storage else {
        candle_core::bail!("the numbers are not F64")
    };
    let at = |index: IxDyn| {
        let steps = layout.stride().iter().enumerate().map(|(axis, stride)| index[axis] * stride);
        numbers[layout.start_offset() + steps.sum::<usize>()]
    };
    Array::from_shape_fn(IxDyn(layout.dims()), at).into_dimensionality().map_err(candle_core::Error::wrap)
}

fn whole_of_storage<D: Dimension>(
    storage: &candle_core::CpuStorage,
    layout: &candle_core::Layout,
) -> candle_core::Result<Array<i64, D>> {
    let candle_core::CpuStorage::I64(numbers) = storage else {
        candle_core::bail!("the numbers are not I64")
    };
    let at = |index: IxDyn| {
        let steps = layout.stride().iter().enumerate().map(|(axis, stride)| index[axis] * stride);
        numbers[layout.start_offset() + steps.sum::<usize>()]
    };
    Array::from_shape_fn(IxDyn(layout.dims()), at).into_dimensionality().map_err(candle_core::Error::wrap)
}

fn of_tensor<D: Dimension>(tensor: &candle_core::Tensor) -> candle_core::Result<Array<f64, D>> {
    let numbers = tensor.flatten_all()?.to_vec1::<f64>()?;
    let array = Array::from_shape_vec(tensor.dims(), numbers).map_err(candle_core::Error::wrap)?;
    array.into_dimensionality().map_err(candle_core::Error::wrap)
}

fn whole_of_tensor<D: Dimension>(tensor: &candle_core::Tensor) -> candle_core::Result<Array<i64, D>> {
    let numbers = tensor.flatten_all()?.to_vec1::<i64>()?;
    let array = Array::from_shape_vec(tensor.dims(), numbers).map_err(candle_core::Error::wrap)?;
    array.into_dimensionality().map_err(candle_core::Error::wrap)
}

fn to_storage(
    array: Array<f64, impl Dimension>,
) -> candle_core::Result<(candle_core::CpuStorage, candle_core::Shape)> {
    let shape = candle_core::Shape::from(array.shape());
    Ok((candle_core::CpuStorage::F64(array.iter().copied().collect()), shape))
}

fn to_tensor(
    array: Array<f64, impl Dimension>,
    like: &candle_core::Tensor,
) -> candle_core::Result<candle_core::Tensor> {
    candle_core::Tensor::from_iter(array.iter().copied(), like.device())?.reshape(array.shape())
}
