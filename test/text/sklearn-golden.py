"""Writes sklearn-golden.json: what scikit-learn makes of nine documents. Run: /usr/bin/python3 test/text/sklearn-golden.py (Debian 12)"""
import json, os
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

here = os.path.dirname(os.path.abspath(__file__))
documents = json.load(open(f"{here}/sklearn-golden.json"))["documents"]
vectorizers = {
    "tfidf_default": TfidfVectorizer(),
    "tfidf_sublinear_bigrams": TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
    "tfidf_min_df_2": TfidfVectorizer(min_df=2),
    "counts": CountVectorizer(),
    "binary": CountVectorizer(binary=True),
}
golden = {"madeWith": "scikit-learn 1.2.1 (Debian 12), /usr/bin/python3 test/text/sklearn-golden.py", "documents": documents}
for name, vectorizer in vectorizers.items():
    rows = vectorizer.fit_transform(documents).toarray()
    entries = [[i, j, round(float(x), 8)] for i, row in enumerate(rows) for j, x in enumerate(row) if x]
    golden[name] = {"terms": list(vectorizer.get_feature_names_out()), "entries": entries}
json.dump(golden, open(f"{here}/sklearn-golden.json", "w"), ensure_ascii=False)
