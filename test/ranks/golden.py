"""Writes golden.json: `python3 test/ranks/golden.py`, with numpy 2.4 and scipy 1.17.

Every number is from numpy and scipy, or from the formula that is written out here; nothing is from orthant.
"""
import json
from pathlib import Path

import numpy as np
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.optimize import linear_sum_assignment, nnls
from scipy.spatial.distance import cdist, pdist, squareform

rng = np.random.default_rng(7)


def rounded(x):
    return np.asarray(x, dtype=np.float64).astype(np.float32).astype(np.float64)


def silhouette(D, labels):
    """sklearn.metrics.silhouette_samples of distances, by its definition."""
    out = []
    for i in range(len(labels)):
        own = [j for j in range(len(labels)) if labels[j] == labels[i] and j != i]
        if not own:
            out.append(0.0)
            continue
        a = D[i, own].mean()
        b = min(D[i, labels == c].mean() for c in set(labels) if c != labels[i])
        out.append((b - a) / max(a, b))
    return np.array(out)


# Labels: formulas of sklearn.metrics (adjusted_rand_score by pair_confusion_matrix, normalized_mutual_info_score with arithmetic means).
clusters = rng.integers(0, 4, 40)
classes = np.where(rng.random(40) < 0.6, clusters, rng.integers(0, 3, 40))
C = np.zeros((4, 4))
for a, b in zip(clusters, classes):
    C[a, b] += 1
n, squares = C.sum(), (C**2).sum()
fp = (C @ C.sum(axis=0)).sum() - squares
fn = (C.T @ C.sum(axis=1)).sum() - squares
tp = squares - n
tn = n**2 - fp - fn - squares
ari = 2 * (tp * tn - fn * fp) / ((tp + fn) * (fn + tn) + (tp + fp) * (fp + tn))
P = C / n
entropy = lambda p: -(p[p > 0] * np.log(p[p > 0])).sum()
mi = entropy(P.sum(1)) + entropy(P.sum(0)) - entropy(P.ravel())
nmi = mi / ((entropy(P.sum(1)) + entropy(P.sum(0))) / 2)
purity = C.max(axis=1).sum() / n

# Matrices.
X = rounded(rng.random((6, 5)))
A = rounded(rng.random((6, 3)))
S = rounded(rng.random((3, 5)))
W = (rng.random((6, 5)) < 0.7).astype(float)
B = rounded(rng.random((6, 4)))
cosines = 1 - cdist(A.T, B.T, "cosine")
rows, columns = linear_sum_assignment(-cosines)
hoyer = (np.sqrt(6) - np.abs(A).sum(0) / np.linalg.norm(A, axis=0)) / (np.sqrt(6) - 1)

# A clustering of 9 points without equal distances.
points = rounded(rng.random((9, 3)))
coph_corr, coph = cophenet(linkage(pdist(points), "average"), pdist(points))
labels = np.array([0, 0, 1, 1, 1, 2, 2, 0, 2])

# cNMF's consensus (cnmf.py, consensus): 7 replicates of rank 3, of which one component is an outlier.
N, M, k, R = 8, 10, 3, 7
true = rng.random((N, k)) ** 3
data = rounded(true @ rng.random((k, M)))
replicates = []
for r in range(R):
    D = (true + 0.03 * rng.random((N, k)))[:, rng.permutation(k)] * (0.5 + rng.random(k))
    if r == 2:
        D[:, 1] = np.eye(N)[np.argmin(true.sum(1))]
    replicates.append(rounded(D))
spectra = np.concatenate([D.T for D in replicates])
l2 = (spectra.T / np.sqrt((spectra**2).sum(axis=1))).T
neighbours = int(0.30 * l2.shape[0] / k)
dist = cdist(l2, l2)
order = np.argpartition(dist, neighbours + 1)[:, : neighbours + 1]
density = dist[np.arange(len(l2))[:, None], order].sum(1) / neighbours
kept = density < 0.5
assert kept.sum() == len(l2) - 1
# The clusters are far apart, so the nearest true component is what k-means finds.
truth = (true / np.linalg.norm(true, axis=0)).T
which = cdist(l2[kept], truth).argmin(1)
medians = np.array([np.median(l2[kept][which == c], axis=0) for c in range(k)])
medians = (medians.T / medians.sum(1)).T
usages = np.array([nnls(medians.T, data[:, m])[0] for m in range(M)]).T
mass = np.argsort(-usages.sum(1))
stability = silhouette(cdist(l2[kept], l2[kept]), which).mean()

golden = {
    "labels": {"clusters": clusters.tolist(), "classes": classes.tolist(), "ari": ari, "nmi": nmi, "purity": purity},
    "matrices": {"X": X.tolist(), "A": A.tolist(), "S": S.tolist(), "W": W.tolist(), "B": B.tolist()},
    "explained": 1 - ((X - A @ S) ** 2).sum() / (X**2).sum(),
    "weighted": 1 - ((W * (X - A @ S)) ** 2).sum() / ((W * X) ** 2).sum(),
    "heldOut": np.linalg.norm(W * (X - A @ S)) / np.linalg.norm(W * X),
    "matched": {"columns": columns.tolist(), "cosines": cosines[rows, columns].tolist()},
    "hoyer": hoyer.tolist(),
    "points": points.tolist(),
    "cophenetic": {"correlation": coph_corr, "heights": squareform(coph).tolist()},
    "silhouettes": {
        "labels": labels.tolist(),
        "euclidean": silhouette(cdist(points, points), labels).tolist(),
        "cosine": silhouette(cdist(points, points, "cosine"), labels).tolist(),
    },
    "cnmf": {
        "X": data.tolist(),
        "replicates": [D.tolist() for D in replicates],
        "densities": density.tolist(),
        "A": medians[mass].T.tolist(),
        "S": usages[mass].tolist(),
        "silhouette": stability,
    },
}
Path(__file__).with_name("golden.json").write_text(json.dumps(golden) + "\n")
