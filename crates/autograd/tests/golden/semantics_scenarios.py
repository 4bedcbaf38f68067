"""The scenarios of `semantics.py`: one line a statement, in the little language that it explains."""

# Seed 004's affine layer, of which most cells of that notebook are variations.
LAYER = """
    x = leaf [1,2,3]
    W = leaf [[0.1,0.2,0.3],[0.4,0.5,0.6]]
    b = leaf [0.1,0.2]
    c = constant [1,1]
    Wx = matmul W x
    z = add Wx b
"""

SCENARIOS = {
    "the gradient of a scalar": """
        x = leaf [1,2,3]
        y = square x
        L = sum y
        show L
        backward L
        show x.grad
        show x
    """,
    "no gradient before a backward pass": """
        x = leaf [1,2,3]
        show x.grad
        c = constant [1,2,3]
        show c.grad
    """,
    "gradients accumulate": """
        x = leaf [1,2,3]
        a = square x
        L = sum a
        backward L
        b = cube x
        M = sum b
        backward M
        show x.grad
        zero_grad x
        show x.grad
    """,
    "accumulation from two losses that share a node": """
        x = leaf [1,2,3]
        y = exp x
        L = sum y
        M = mean y
        backward L retain_graph
        backward M
        show x.grad
    """,
    "accumulation is seen through the gradient that was taken before": """
        x = leaf [1,2]
        a = sum x
        backward a
        g = grad_of x
        b = sum x
        backward b
        show g
        zero_ g
        show x.grad
    """,
    "only a scalar has an implicit seed": """
        x = leaf [1,2,3]
        y = square x
        backward y
        show x.grad
        c = constant [1,10,100]
        backward y with c
        show x.grad
    """,
    "one element is a scalar, whatever its shape": """
        x = leaf [[3]]
        y = square x
        backward y
        show x.grad
    """,
    "a seed of another shape": """
        x = leaf [1,2,3]
        y = square x
        c = constant [1,1]
        backward y with c
        g = grad y -> x with c
        show x.grad
    """,
    "a seed of one element for another shape": """
        x = leaf [1,2,3]
        y = square x
        c = constant [1]
        backward y with c
        s = constant 1
        backward y with s
    """,
    "nothing requires a gradient": """
        x = constant [1,2,3]
        L = sum x
        show L
        backward L
        requires_grad_ x true
        backward L
        M = sum x
        backward M
        show x.grad
    """,
    "the second of two outputs does not require a gradient": """
        x = leaf [1,2]
        L = sum x
        c = constant 1
        g = grad L c -> x
        g = grad c L -> x
    """,
    "a second backward pass": """
        x = leaf [1,2,3]
        y = square x
        L = sum y
        backward L
        backward L
        show x.grad
    """,
    "a second backward pass, the graph retained": """
        x = leaf [1,2,3]
        y = square x
        L = sum y
        backward L retain_graph
        backward L
        show x.grad
        backward L
        show x.grad
    """,
    "a sum keeps nothing that could be freed": """
        x = leaf [1,2,3]
        L = sum x
        backward L
        backward L
        show x.grad
    """,
    "a shift keeps nothing, a scaling keeps its number": """
        x = leaf [1,2,3]
        a = add x 1
        L = sum a
        backward L
        backward L
        show x.grad
        b = mul x 2
        M = sum b
        backward M
        backward M
        show x.grad
    """,
    "a division keeps its number, a negation nothing": """
        x = leaf [1,2,3]
        a = neg x
        L = sum a
        backward L
        backward L
        b = div x 2
        M = sum b
        backward M
        backward M
        show x.grad
    """,
    "a mean keeps nothing": """
        x = leaf [1,2,3]
        L = mean x
        backward L
        backward L
        show x.grad
    """,
    "a shared node is freed for both losses": """
        x = leaf [1,2,3]
        y = exp x
        L = sum y
        a = square y
        M = sum a
        backward L
        backward M
        show x.grad
    """,
    "what a pass did not walk is not freed": """
        x = leaf [1,2,3]
        y = exp x
        L = sum y
        a = square x
        M = sum a
        N = add L M
        backward L
        backward M
        show x.grad
        backward N
    """,
    "only what lies on the way to the inputs is freed": """
        x = leaf [1,2]
        w = leaf [3,4]
        a = exp x
        b = square w
        c = mul a b
        L = sum c
        g = grad L -> b
        show g
        d = sum b
        backward d
        show w.grad
        e = sum a
        backward e
        show x.grad
        backward L
    """,
    "a product of a constant needs the constant only": """
        x = leaf [1,2]
        c = constant [3,4]
        y = mul x c
        L = sum y
        no_grad: add_ x 1
        backward L
        show x.grad
        M = sum y
        backward M
    """,
    "a tensor used twice": """
        x = leaf [1,2,3]
        y = mul x x
        z = mul y x
        L = sum z
        backward L
        show x.grad
    """,
    "a tensor and what was detached from it": """
        x = leaf [1,2,3]
        d = detach x
        show d
        y = mul x d
        L = sum y
        backward L
        show x.grad
        show d.grad
    """,
    "detached tensors share their values": """
        x = leaf [1,2,3]
        y = mul x 1
        d = detach y
        mul_ d 10
        show y
        show x
        e = detach x
        add_ e 1
        show x
    """,
    "a detached tensor changes what a rule reads": """
        x = leaf [1,2,3]
        y = exp x
        d = detach y
        zero_ d
        L = sum y
        backward L
    """,
    "a tensor that was detached may require gradients of its own": """
        x = leaf [1,2,3]
        y = square x
        d = detach y
        requires_grad_ d true
        L = sum d
        backward L
        show d.grad
        show x.grad
    """,
    "no_grad makes constants": """
        x = leaf [1,2,3]
        no_grad: y = square x
        show y
        L = sum y
        backward L
        z = square x
        no_grad: M = sum z
        show z
        show M
    """,
    "a leaf is made inside of no_grad": """
        no_grad: x = leaf [1,2]
        show x
        y = square x
        L = sum y
        no_grad: backward L
        show x.grad
    """,
    "an update of a leaf": """
        w = leaf [1,2,3]
        y = square w
        L = sum y
        backward L
        g = grad_of w
        s = mul g 0.1
        sub_ w s
        no_grad: sub_ w s
        show w
        show w.grad
        zero_grad w
        z = square w
        M = sum z
        backward M
        show w.grad
    """,
    "a leaf that is changed after it was read": """
        w = leaf [1,2,3]
        y = square w
        L = sum y
        no_grad: sub_ w 1
        backward L
        show w.grad
    """,
    "a leaf that is changed, and was not read": """
        w = leaf [1,2,3]
        y = add w 1
        L = sum y
        no_grad: sub_ w 1
        backward L
        show w.grad
    """,
    "weights that are changed after a layer of constants": """
        x = constant [1,2]
        w = leaf [3,4]
        y = mul w x
        L = sum y
        no_grad: zero_ w
        backward L
        show w.grad
    """,
    "a result that is changed after its rule reads it": """
        x = leaf [1,2,3]
        y = exp x
        add_ y 1
        L = sum y
        backward L
    """,
    "a tanh reads its result": """
        x = leaf [1,2,3]
        y = tanh x
        no_grad: zero_ y
        L = sum y
        backward L
    """,
    "a square does not read its result": """
        x = leaf [1,2,3]
        y = square x
        add_ y 1
        show y
        L = sum y
        backward L
        show x.grad
    """,
    "in-place operations are part of the graph": """
        x = leaf [1,2,3]
        y = square x
        mul_ y 10
        mul_ y x
        show y
        L = sum y
        backward L
        show x.grad
    """,
    "a constant becomes part of the graph": """
        x = leaf [1,2,3]
        y = constant [5,6,7]
        mul_ y x
        show y
        L = sum y
        backward L
        show x.grad
        show y.grad
    """,
    "copied into a constant": """
        x = leaf [1,2,3]
        y = constant [0,0,0]
        copy_ y x
        z = square y
        L = sum z
        backward L
        show x.grad
    """,
    "an operation in place keeps the shape": """
        x = constant [1,2]
        c = constant [[1,2],[3,4]]
        add_ x c
        show x
        add_ c x
        show c
    """,
    "an intermediate value has no gradient": """
        x = leaf [1,2,3]
        y = square x
        L = sum y
        backward L
        show y.grad
        show L.grad
        show x.grad
    """,
    "an intermediate value keeps its gradient": """
        x = leaf [1,2,3]
        y = square x
        retain_grad y
        L = sum y
        retain_grad L
        show y.grad
        backward L
        show y.grad
        show L.grad
    """,
    "retain_grad twice counts once": """
        x = leaf [1,2,3]
        y = square x
        retain_grad y
        retain_grad y
        L = sum y
        backward L
        show y.grad
    """,
    "retain_grad on a leaf does nothing": """
        x = leaf [1,2,3]
        retain_grad x
        L = sum x
        backward L
        show x.grad
    """,
    "retain_grad on a constant": """
        c = constant [1,2,3]
        retain_grad c
    """,
    "retain_grad after a backward pass": """
        x = leaf [1,2,3]
        y = square x
        L = sum y
        backward L retain_graph
        retain_grad y
        show y.grad
        backward L
        show y.grad
    """,
    "retained gradients accumulate": """
        x = leaf [1,2,3]
        y = square x
        retain_grad y
        L = sum y
        backward L retain_graph
        backward L
        show y.grad
        show x.grad
    """,
    "retained, then changed in place": """
        x = leaf [1,2,3]
        y = square x
        retain_grad y
        mul_ y 10
        L = sum y
        backward L
        show y.grad
        show x.grad
    """,
    "seed 004, cells 24 and 20": LAYER
    + """
        retain_grad z
        L = sum z
        backward L retain_graph
        show W.grad
        no_grad: g = grad L -> z retain_graph
        show g
        no_grad: h = grad z -> W with c retain_graph
        show h
        show z.grad
        show x.grad
        show b.grad
    """,
    "seed 004, cell 21": LAYER
    + """
        L = sum z
        backward L retain_graph
        show W.grad
        g = grad L -> z retain_graph
        show g
        h = grad z -> W with c retain_graph
        show h
        show z.grad
    """,
    "seed 004, cells 26 and 58": LAYER
    + """
        retain_grad z
        L = sum z
        backward L retain_graph
        show W.grad
        show z.grad
        g = grad L -> z retain_graph
        show g
        h = grad z -> W with c retain_graph
        show h
        no_grad: p = matmul g h
        show p
        m = outer g x
        show m
    """,
    "seed 002: the error, and what it asks for": """
        x = constant [[1,2],[3,4],[5,6]]
        w = constant [[0.5],[-1]]
        b = constant [0]
        t = constant [[1],[2],[3]]
        a = matmul x w
        p = add a b
        L = mse p t
        backward L
        requires_grad_ x true
        requires_grad_ w true
        requires_grad_ b true
        a = matmul x w
        p = add a b
        L = mse p t
        backward L
        show x.grad
        show w.grad
        show b.grad
    """,
    "seed 004: both arguments of the mean squared error": """
        p = leaf [42.1,87.7,88.2]
        t = leaf [1,5,10]
        L = mse p t
        backward L
        show p.grad
        show t.grad
    """,
    "grad returns and leaves no trace": """
        x = leaf [1,2,3]
        y = square x
        L = sum y
        g = grad L -> x
        show g
        show x.grad
        h = grad L -> x
    """,
    "grad by an intermediate value": """
        x = leaf [1,2,3]
        y = square x
        z = exp y
        L = sum z
        g = grad L -> y retain_graph
        show g
        gx gy = grad L -> x y
        show gx
        show gy
    """,
    "grad of a leaf by itself": """
        x = leaf 2
        g = grad x -> x
        show g
        backward x
        show x.grad
        v = leaf [1,2]
        g = grad v -> v
        h = grad v -> v with v
        show h
    """,
    "grad of an intermediate value by itself": """
        x = leaf [1,2]
        y = square x
        c = constant [3,5]
        g = grad y -> y with c
        show g
        h k = grad y -> y x with c
        show k
    """,
    "grad by two values of one path": """
        x = leaf [1,2]
        y = square x
        c = constant [3,5]
        gy gx = grad y -> y x with c
        show gy
        show gx
    """,
    "grad of several outputs is their sum": """
        x = leaf [1,2]
        y = square x
        z = exp x
        c = constant [1,10]
        d = constant [100,0]
        g = grad y z -> x with c d retain_graph
        show g
        a = sum x
        b = mean x
        h = grad a b -> x
        show h
        k = grad a y -> x with none c
        show k
    """,
    "the same output twice": """
        x = leaf [1,2]
        L = sum x
        g = grad L L -> x
        show g
    """,
    "the same input twice": """
        x = leaf [1,2]
        L = sum x
        g h = grad L -> x x
        show g
        show h
    """,
    "an input that was not used": """
        x = leaf [1,2]
        w = leaf [3,4]
        L = sum x
        g h = grad L -> x w
        g h = grad L -> x w allow_unused
        show g
        k = grad L -> w allow_unused
        show x.grad
    """,
    "an input that requires no gradient": """
        x = leaf [1,2]
        c = constant [3,4]
        y = mul x c
        L = sum y
        g = grad L -> c
        g = grad L -> c allow_unused
    """,
    "an error leaves the graph as it was": """
        x = leaf [1,2]
        w = leaf [3,4]
        y = exp x
        L = sum y
        c = constant [1,1]
        backward y with L
        g = grad y -> x
        backward L
        show x.grad
    """,
    "gradients of gradients": """
        x = leaf [1,2,3]
        y = cube x
        L = sum y
        g = grad L -> x create_graph
        show g
        M = sum g
        h = grad M -> x create_graph
        show h
        N = sum h
        k = grad N -> x
        show k
        show x.grad
    """,
    "gradients of gradients without create_graph": """
        x = leaf [1,2,3]
        y = cube x
        L = sum y
        g = grad L -> x
        show g
        M = sum g
        h = grad M -> x
    """,
    "create_graph retains the graph": """
        x = leaf [1,2]
        y = exp x
        L = sum y
        g = grad L -> x create_graph
        h = grad L -> x
        show h
        k = grad L -> x
    """,
    "the gradient of a sum does not depend on it": """
        x = leaf [1,2,3]
        L = sum x
        g = grad L -> x create_graph
        show g
        M = sum g
        h = grad M -> x
    """,
    "a gradient penalty": """
        x = leaf [1,2]
        w = leaf [3,4]
        a = mul w x
        b = sin a
        L = sum b
        g = grad L -> x create_graph
        s = square g
        P = sum s
        T = add L P
        backward T
        show w.grad
        show x.grad
    """,
    "backward with create_graph": """
        x = leaf [1,2]
        y = cube x
        L = sum y
        backward L create_graph
        show x.grad
        g = grad_of x
        zero_grad x
        M = sum g
        backward M
        show x.grad
    """,
    "a seed that requires a gradient": """
        x = leaf [1,2]
        v = leaf [3,4]
        y = square x
        g = grad y -> x with v create_graph
        show g
        L = sum g
        backward L
        show v.grad
        show x.grad
    """,
    "create_graph inside of no_grad": """
        x = leaf [1,2]
        y = cube x
        L = sum y
        no_grad: g = grad L -> x create_graph
        show g
        M = sum g
        backward M
        show x.grad
    """,
    "mixed second derivatives": """
        x = leaf [1,2]
        w = leaf [3,4]
        a = mul x w
        b = exp a
        L = sum b
        g = grad L -> x create_graph
        M = sum g
        h k = grad M -> x w
        show h
        show k
    """,
    "softmax and its mean squared error, twice": """
        z = leaf [0.5,-1,2]
        t = constant [0,1,0]
        a = softmax z
        L = mse a t
        g = grad L -> z create_graph
        show g
        s = square g
        M = sum s
        backward M
        show z.grad
    """,
    "a piecewise constant has a gradient of zero": """
        x = leaf [1,-2,3]
        y = sign x
        show y
        L = sum y
        backward L
        show x.grad
    """,
    "the kink of relu": """
        x = leaf [-1,0,2]
        y = relu x
        L = sum y
        backward L
        show x.grad
    """,
    "integers": """
        i = integers [1,2,3]
        requires_grad_ i true
        requires_grad_ i false
        show i
    """,
    "the flag of an intermediate value": """
        x = leaf [1,2]
        y = square x
        requires_grad_ y false
        requires_grad_ y true
        show y
        requires_grad_ x false
        z = square x
        show z
        requires_grad_ x true
        L = sum y
        backward L
        show x.grad
    """,
    "a name is no copy": """
        x = leaf [1,2]
        y = alias x
        no_grad: add_ y 1
        show x
        L = sum x
        backward L
        show y.grad
    """,
    "a broadcast operand": """
        x = leaf [[1,2,3],[4,5,6]]
        b = leaf [1,1,1]
        s = leaf 2
        y = mul x b
        z = div y s
        L = sum z
        backward L
        show x.grad
        show b.grad
        show s.grad
    """,
    "an update loop": """
        w = leaf [2,-1]
        a = square w
        L = sum a
        backward L
        g = grad_of w
        s = mul g 0.25
        no_grad: sub_ w s
        zero_ g
        a = square w
        L = sum a
        backward L
        s = mul g 0.25
        no_grad: sub_ w s
        show w
        show w.grad
    """,
    "a gradient is not the cotangent that it came from": """
        x = leaf [1,2]
        c = constant [3,4]
        backward x with c
        add_ c 1
        show x.grad
        y = square x
        retain_grad y
        d = constant [5,6]
        backward y with d
        add_ d 1
        show x.grad
    """,
    "an operation in place reads its result": """
        x = leaf [0.5,1]
        y = square x
        exp_ y
        show y
        L = sum y
        backward L retain_graph
        show x.grad
        add_ y 1
        M = sum y
        backward M
    """,
    "zeros in the place of a result": """
        x = leaf [1,2]
        y = square x
        zero_ y
        show y
        L = sum y
        backward L
        show x.grad
    """,
    "a constant in the place of a result": """
        x = leaf [1,2]
        y = square x
        c = constant [5,7]
        copy_ y c
        show y
        z = mul y x
        L = sum z
        backward L
        show x.grad
    """,
    "create_graph inside of no_grad, two ways to the leaf": """
        x = leaf [1,2]
        y = mul x x
        L = sum y
        no_grad: g = grad L -> x create_graph
        show g
        M = sum g
        backward M
        show x.grad
    """,
    "the flag of a leaf, taken and given again": """
        x = leaf [1,2]
        y = square x
        L = sum y
        requires_grad_ x false
        g = grad L -> x
        requires_grad_ x true
        g = grad L -> x
        show g
    """,
    "an output that does not lead to the input": """
        x = leaf [1,2]
        w = leaf [3,4]
        L = sum x
        e = exp w
        M = sum e
        retain_grad M
        g = grad L M -> x
        show g
        show M.grad
        backward M
        show M.grad
        show w.grad
    """,
    "a gradient of a gradient that was retained": """
        x = leaf [1,2]
        y = square x
        retain_grad y
        z = square y
        L = sum z
        backward L create_graph
        show y.grad
        g = grad_of y
        M = sum g
        h = grad M -> x
        show h
    """,
    "two gradients added with create_graph": """
        x = leaf [1,2]
        y = cube x
        L = sum y
        backward L create_graph
        backward L create_graph
        show x.grad
        g = grad_of x
        M = sum g
        h = grad M -> x
        show h
    """,
    "changed between two recordings": """
        x = leaf [1,2]
        c = constant [3,4]
        y = mul x c
        add_ c 1
        z = mul x c
        L = sum z
        backward L
        show x.grad
        M = sum y
        backward M
        show x.grad
    """,
    "a second pass through what keeps nothing, recorded": """
        x = leaf [1,2]
        v = leaf [3,4]
        y = neg x
        backward y with v
        show x.grad
        g = grad y -> x with v create_graph
        show g
        s = square g
        M = sum s
        backward M
        show v.grad
    """,
    "what was overwritten has a gradient of zero": """
        x = leaf [1,2]
        w = leaf [3]
        y = exp x
        z = mul y 2
        copy_ z w
        show z
        L = sum z
        backward L
        show x.grad
        show w.grad
    """,
    "a gradient passes by an output that leads nowhere": """
        x = leaf [1,2]
        w = leaf [3,4]
        y = exp x
        L = sum y
        retain_grad L
        g = grad L -> w allow_unused
        show L.grad
        backward L
        show L.grad
        show x.grad
    """,
    "a leaf whose flag was taken is passed by": """
        x = leaf [1,2]
        w = leaf [3,4]
        y = mul x w
        L = sum y
        requires_grad_ x false
        backward L
        show x.grad
        show w.grad
    """,
}
