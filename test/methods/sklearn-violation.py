# The iterations at which scikit-learn's solver 'cd' ends by its rule, from the V, W0 and H0 of sklearn-nmf.json.
import json, sys
import numpy as np
import sklearn
from sklearn.decomposition import NMF
given = json.load(open('test/methods/sklearn-nmf.json'))
rows, cols, k = given['rows'], given['cols'], given['k']
V, W0, H0 = (np.array(given[name]).reshape(shape) for name, shape in [('V', (rows, cols)), ('W0', (rows, k)), ('H0', (k, cols))])
cases = []
for tol in (1e-1, 1e-2, 1e-3, 1e-4):
    for alpha_W, alpha_H in ((0, 0), (0.01, 0.02)):
        fit = NMF(k, init='custom', solver='cd', tol=tol, max_iter=5000, alpha_W=alpha_W, alpha_H=alpha_H, l1_ratio=0.5)
        W = fit.fit_transform(V.copy(), W=W0.copy(), H=H0.copy())
        cases.append({'tol': tol, 'alpha_W': alpha_W, 'alpha_H': alpha_H, 'n_iter': fit.n_iter_, 'error': fit.reconstruction_err_})
json.dump({'note': f'scikit-learn {sklearn.__version__}, NumPy {np.__version__}: python3 test/methods/sklearn-violation.py', 'cases': cases}, open('test/methods/sklearn-violation.json', 'w'), indent=1)
