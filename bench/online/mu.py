"""Mini-batches of one pass by several rules of A, and scikit-learn's MiniBatchNMF, beside a fit of all columns: see docs/methods.md, Online NMF.

    python3 bench/online/mu.py        needs numpy and scikit-learn; about three minutes
"""
import numpy as np
rng=np.random.default_rng(1)
N,M,k=50,100000,5
A0=np.maximum(rng.standard_normal((N,k)),0)
S0=np.abs(rng.standard_normal((k,M)))
X=np.maximum(A0@S0+0.2*rng.standard_normal((N,M)),0).astype(np.float64)
def nn(A,X,it=200):
    G=A.T@A;B=A.T@X;S=np.full((A.shape[1],X.shape[1]),X.mean())
    for _ in range(it):
        for j in range(k):
            S[j]=np.maximum(S[j]+(B[j]-G[j]@S)/G[j,j],0)
    return S
def err(A,X,S): return ((X-A@S)**2).sum()
# full batch by hals from A0
A=A0.copy()
for _ in range(15):
    S=nn(A,X,10); P=S@S.T;Q=X@S.T
    for _ in range(4):
        for j in range(k): A[:,j]=np.maximum(A[:,j]+(Q[:,j]-A@P[:,j])/P[j,j],0)
best=err(A,X,nn(A,X,60)); print('full',best)
scale=np.sqrt(X.mean()/k)
init=np.abs(rng.standard_normal((N,k)))*scale
b=1024
def run(rule,rho,passes=1,first=50,sweeps=4,inexact=0,S_old=None):
    A=init.copy(); out=[]
    num=A.copy();den=np.ones_like(A);P=np.zeros((k,k));Q=np.zeros((N,k))
    W=None
    if inexact: W=np.abs(rng.standard_normal((k,M)))*scale
    t=0
    for p in range(passes):
        for f in range(0,M,b):
            Xb=X[:,f:f+b]
            r=rho**(Xb.shape[1]/b)
            reps=first+1 if (t==0 and not inexact) else 1
            n0,d0,P0,Q0=num,den,P,Q
            for _ in range(reps):
                if inexact:
                    S=W[:,f:f+b]
                    for _ in range(inexact): S*= (A.T@Xb)/np.maximum(A.T@A@S,1e-12)
                else: S=nn(A,Xb,30)
                SS=S@S.T;XS=Xb@S.T
                P=r*P0+SS;Q=r*Q0+XS
                num=r*n0+A*XS;den=r*d0+A@SS
                if rule=='mu': A=num/den
                elif rule=='mupq':
                    for _ in range(sweeps): A=A*Q/np.maximum(A@P,1e-12)
                else:
                    for _ in range(sweeps):
                        for j in range(k): A[:,j]=np.maximum(A[:,j]+(Q[:,j]-A@P[:,j])/P[j,j],0)
            t+=1
        out.append(100*(err(A,X,nn(A,X,60))/best-1))
    return out
rhoM=0.7**(b/M)
for name,args in [('hals .7/batch',('hals',.7)),('hals .7/M',('hals',rhoM)),('mu .7/batch',('mu',.7)),('mu .7/M',('mu',rhoM)),('mu pq1 .7',('mupq',.7,1,50,1)),('mu pq1 M',('mupq',rhoM,1,50,1)),('mu pq4 .7',('mupq',.7)),('mu pq4 M',('mupq',rhoM)),('mu pq20 M',('mupq',rhoM,1,50,20)),('mu pq20 .7',('mupq',.7,1,50,20))]:
    print(name,run(*args),flush=True)
print('mu M 5 passes',run('mu',rhoM,5),flush=True)
try:
    from sklearn.decomposition import MiniBatchNMF
    for passes in (1,5):
        m=MiniBatchNMF(n_components=k,init='custom',batch_size=b,tol=0,max_no_improvement=None,max_iter=passes,forget_factor=.7,fresh_restarts=False)
        W0=np.abs(rng.standard_normal((M,k)))*scale
        m.fit_transform(X.T.copy(),W=W0,H=init.T.copy())
        print('sklearn minibatch',passes,100*(err(m.components_.T,X,nn(m.components_.T.copy(),X,60))/best-1),flush=True)
        m=MiniBatchNMF(n_components=k,init='custom',batch_size=b,tol=0,max_no_improvement=None,max_iter=passes,forget_factor=.7,fresh_restarts=True,fresh_restarts_max_iter=100)
        m.fit_transform(X.T.copy(),W=W0,H=init.T.copy())
        print('sklearn minibatch fresh',passes,100*(err(m.components_.T,X,nn(m.components_.T.copy(),X,60))/best-1),flush=True)
except ImportError as e: print(e)
