"""The sequential methods of the published comparison of Neural NCPD, replicated. Run: python3 sequential.py (NumPy; a minute)

Standard HNCPD and HNTF as the notebooks of github.com/jvendrow/Neural-NCPD have them, with the parts of their requirements that matter:
non_negative_parafac of tensorly 0.4.3, and NMF(init='random', solver='mu') of scikit-learn 0.21.3. See ../tensors.md.
"""
import numpy as np

RANKS = (4, 2)
BLOCKS = [(.75, (0, 20), (0, 20), (0, 20)), (.75, (20, 40), (20, 40), (20, 40)),
          (2, (0, 12), (0, 12), (0, 8)), (2, (12, 20), (12, 20), (8, 20)), (2, (20, 27), (20, 34), (20, 27)), (2, (27, 40), (34, 40), (27, 40)),
          (3.5, (0, 12), (0, 6), (0, 4)), (3.5, (0, 12), (6, 12), (4, 8)), (3.5, (12, 17), (12, 20), (8, 13)), (3.5, (17, 20), (12, 20), (13, 20)),
          (3.5, (20, 23), (20, 27), (20, 27)), (3.5, (23, 27), (27, 34), (20, 27))]


def published_tensor(noise, seed):
    X = np.zeros((40, 40, 40))
    for value, a, b, c in BLOCKS:
        X[slice(*a), slice(*b), slice(*c)] = value
    np.random.seed(seed)
    return X + noise * np.abs(np.random.randn(40, 40, 40))


def unfold(X, n):
    return np.moveaxis(X, n, 0).reshape(X.shape[n], -1)


def kruskal(F):
    return np.einsum('ir,jr,kr->ijk', *F)


def error(X, F):
    return np.linalg.norm(X - kruskal(F)) / np.linalg.norm(X)


def non_negative_parafac(X, r, seed=None):
    """Multiplicative updates from |singular vectors|, or from uniform numbers with a seed."""
    if seed is None:
        F = [np.abs(np.linalg.svd(unfold(X, n), full_matrices=False)[0][:, :r]) for n in range(3)]
    else:
        random = np.random.RandomState(seed)
        F = [random.random_sample((size, r)) for size in X.shape]
    errors = []
    for iteration in range(100):
        for n in range(3):
            D, S = (F[m] for m in range(3) if m != n)
            product = unfold(X, n) @ np.einsum('ir,jr->ijr', D, S).reshape(-1, r)
            F[n] = F[n] * np.clip(product, 1e-11, None) / np.clip(F[n] @ (D.T @ D * (S.T @ S)), 1e-11, None)
        errors.append(error(X, F))
        if iteration > 1 and abs(errors[-2] - errors[-1]) < 1e-6:
            break
    return F


def nmf(X, k, seed):
    random = np.random.RandomState(seed)
    scale = np.sqrt(X.mean() / k)
    S = np.abs(scale * random.randn(k, X.shape[1]))
    A = np.abs(scale * random.randn(X.shape[0], k))
    nonzero = lambda D: np.where(D == 0, np.finfo(np.float32).eps, D)
    first = before = np.linalg.norm(X - A @ S)
    for iteration in range(1, 301):
        A = A * (X @ S.T / nonzero(A @ (S @ S.T)))
        S = S * (A.T @ X / nonzero(A.T @ A @ S))
        if iteration % 10 == 0:
            now = np.linalg.norm(X - A @ S)
            if (before - now) / first < 1e-4:
                break
            before = now
    return A, S


def hncpd(F, seed):
    """The factors of every level below [[F]]."""
    levels = [[] for _ in RANKS]
    for S in F:
        chain = np.eye(len(S))
        for level, r in zip(levels, RANKS):
            A, S = nmf(S, r, seed)
            chain = chain @ A
            level.append(chain @ S)
    return levels


def hntf(F, modes, seed):
    """The same with modes[0] as the hierarchical one; factors in the order of `modes`."""
    chain, D, S = (F[n] for n in modes)
    levels = []
    for r in RANKS:
        A, D, S = non_negative_parafac(kruskal([np.eye(chain.shape[1]), D, S]), r, seed)
        chain = chain @ A
        levels.append([chain, D, S])
    return levels


def show(name, errors):
    errors = np.array(errors)
    print(f'  {name:22} average {errors.mean(0)}  best {errors.min(0)}  worst {errors.max(0)}')


for noise, seed in ((.1, 1), (.4, 14)):
    X, clean = published_tensor(noise, seed), published_tensor(0, seed)
    F = non_negative_parafac(X, 7)
    print(f'noise {noise}: rank 7 {error(X, F):.8f}, against the clean tensor {error(clean, F):.8f}; ranks {RANKS}:')
    for kind, truth in (('noisy', X), ('clean', clean)):
        show(f'HNCPD, {kind}', [[error(truth, level) for level in hncpd(F, trial)] for trial in range(10)])
        for n in range(3):
            orders = [[n, *others] for others in ([m for m in range(3) if m != n], [m for m in (2, 1, 0) if m != n])]
            show(f'HNTF-{n + 1}, {kind}', [[error(truth.transpose(modes), level) for level in hntf(F, modes, trial)]
                                           for trial in range(10) for modes in orders])
