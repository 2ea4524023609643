"""Makes the files beside it, all of one matrix but those called refuse-*. Run by hand, in this folder:

    pip install numpy==2.4.6 scipy==1.17.1 pyarrow==25.0.1 pandas h5py==3.16.0 pillow && python make.py
"""
import os
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import scipy.io
import scipy.sparse as sp
from PIL import Image

X = np.array([[1.5, 0, 2], [0, 3.25, 0], [4, 0, 0.125], [0, 5, 6]])
rows, columns = ["r1", "r2", "r3", "r4"], ["a", "b", "c"]

for name, dtype in {"f2": "<f2", "f4": "<f4", "f8": "<f8", "f4-big": ">f4", "i4": "<i4", "i8": "<i8", "u1": "|u1", "bool": "?"}.items():
    np.save(f"dense-{name}.npy", X.astype(dtype))
np.save("dense-fortran.npy", np.asfortranarray(X))
np.save("refuse-3d.npy", np.ones((2, 2, 2)))
np.save("refuse-complex.npy", X.astype("<c16"))
np.save("refuse-object.npy", X.astype(object), allow_pickle=True)
open("refuse-shape-1e12x0.npy", "wb").write(b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 0), }".ljust(117) + b"\n")
np.savez("dense.npz", X=X)
np.savez_compressed("dense-compressed.npz", X=X, other=np.arange(3))
np.savez("named.npz", matrix=X.astype("<f4"), rows=np.array(rows), columns=np.array(columns))
np.savez("refuse-two.npz", A=X, B=X)
np.savez("refuse-object.npz", X=X.astype(object))
for form in ["csr", "csc", "coo", "bsr"]:
    sp.save_npz(f"scipy-{form}.npz", sp.coo_matrix(X).asformat(form))
sp.save_npz("scipy-bsr-blocks.npz", sp.bsr_matrix(X, blocksize=(2, 3)))
sp.save_npz("scipy-csr-f4-array.npz", sp.csr_array(X.astype("<f4")), compressed=False)
sp.save_npz("scipy-coo-array.npz", sp.coo_array(X))
sp.save_npz("refuse-dia.npz", sp.dia_matrix(X))
scipy.io.mmwrite("real.mtx", sp.coo_matrix(X))
scipy.io.mmwrite("array.mtx", X)

frame = pd.DataFrame(X, index=rows, columns=columns)
frame.to_parquet("pandas.parquet")
frame.reset_index(drop=True).to_parquet("pandas-no-names.parquet")
frame.where(frame != 2).to_parquet("missing.parquet")  # the entry 2 is missing
table = pa.table({"name": rows, **{c: X[:, j] for j, c in enumerate(columns)}})
pa.parquet.write_table(table, "arrow.parquet", compression="none", data_page_version="2.0")
pa.parquet.write_table(pa.table({"name": rows, "a": pa.array(X[:, 0], pa.float32()), "b": X[:, 1], "c": pa.array(X[:, 2], pa.float16())}), "types.parquet")
pa.parquet.write_table(pa.table({"a": pa.array([1, 2**40], pa.int64()), "b": [True, False], "c": pa.array([1, 255], pa.uint8())}), "integers.parquet")
pa.parquet.write_table(table, "zstd.parquet", compression="zstd")
pa.parquet.write_table(table.append_column("when", pa.array([0, 1, 2, 3], pa.date32())), "refuse-date.parquet")
pa.parquet.write_table(table.append_column("list", pa.array([[0], [1], [2], [3]])), "refuse-list.parquet")
pa.feather.write_feather(table, "table.feather", compression="uncompressed")
pa.feather.write_feather(table, "lz4.feather")
with pa.ipc.new_stream("stream.arrows", table.schema) as stream:
    stream.write_table(table)
with pa.ipc.new_file("table.arrow", table.schema) as file:
    file.write_table(table.set_column(1, "a", pa.array([1.5, 0, None, 0])))  # the entry 4 is missing


def h5ad(name, write):
    with h5py.File(name, "w") as f:
        write(f)
        for group, names in [("obs", rows), ("var", columns)]:
            g = f.create_group(group)
            g.attrs["_index"] = "_index"
            g.create_dataset("_index", data=np.array(names, dtype=h5py.string_dtype()))


def sparse(form):
    def write(f):
        Y = sp.coo_matrix(X).asformat(form)
        g = f.create_group("X")
        g.attrs["encoding-type"], g.attrs["encoding-version"], g.attrs["shape"] = f"{form}_matrix", "0.1.0", Y.shape
        for part in ["data", "indices", "indptr"]:
            g.create_dataset(part, data=getattr(Y, part), compression="gzip")
    return write


h5ad("dense.h5ad", lambda f: f.create_dataset("X", data=X.astype("<f4"), compression="gzip"))
h5ad("csr.h5ad", sparse("csr"))
h5ad("csc.h5ad", sparse("csc"))
h5ad("refuse-no-x.h5ad", lambda f: None)

os.makedirs("10x", exist_ok=True)
scipy.io.mmwrite("10x/matrix.mtx", sp.coo_matrix(X))
open("10x/features.tsv", "w").write("".join(f"ENSG{i}\t{name}\tGene Expression\n" for i, name in enumerate(rows)))
open("10x/barcodes.tsv", "w").write("".join(f"{name}\n" for name in columns))

# Images of 3×2 pixels: grey in 8 and 16 bits, colour, a palette, with transparency.
values = np.array([[0, 51, 102], [153, 204, 255]], "u1")
for folder in ["grey", "colour"]:
    os.makedirs(folder, exist_ok=True)
Image.fromarray(values).save("grey/one.png")
Image.fromarray(255 - values).save("grey/two.png")
Image.fromarray(values.astype("u2") * 257).save("grey/three.png")
colour = np.stack([values, values[::-1], values // 51], axis=2)
Image.fromarray(colour).save("colour/one.png")
Image.fromarray(colour).quantize(6).save("colour/palette.png")
Image.fromarray(np.dstack([colour, np.full((2, 3), 255, "u1")])).save("colour/opaque.png")

# Blocks of 64 KiB that refer to the one before; blocks on their own, with their sums and the length of all.
open("numbers.txt", "w").write(" ".join(str(i % 97) for i in range(40000)))
os.system("lz4 -q -f -B4 -BD numbers.txt linked.lz4 && lz4 -q -f -B4 -BI -BX --content-size numbers.txt checked.lz4; rm numbers.txt")
