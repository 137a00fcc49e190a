#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""reference.py >crosscheck.json: the whole model once more, in PyTorch, double precision.

Written from the equations in man/answerback-model.5 and model/dialogue.h, one position at a
time and with gradients by automatic differentiation, so that it shares no code, no batching
and no hand-made derivative with the C. tests/test_reference.c and tests/gradcheck_reference.c
read what it prints; it need only be run again (Debian: python3-torch) when the model changes.

Weights are not stored: both sides make them from hash() below, exactly alike. Of each
gradient the file keeps its sum, sum of squares, product with hash() values and 16 elements;
of each distribution log p of the target and of some ids, the sum and such a product.
"""
import json
import math
import random
import sys

import torch

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

DOT = 1000          # hash() stream of the fixed vectors: DOT + the tensor's number
ROW = 2000          # and of the one that distributions are multiplied by
EPS = 1e-5


def hash(stream, i):
    """A number in [-1, 1) that depends on two integers; 32 bit arithmetic, exact."""
    x = (i * 0x9E3779B1 + stream * 0x85EBCA77 + 1) & 0xFFFFFFFF
    x ^= x >> 15
    x = x * 0x2C1B3C6D & 0xFFFFFFFF
    x ^= x >> 12
    x = x * 0x297A2D39 & 0xFFFFFFFF
    x ^= x >> 15
    return x / 2147483648 - 1


def hashes(stream, n):
    return torch.tensor([hash(stream, i) for i in range(n)])


# ---- the model ---------------------------------------------------------------------

def shapes(c):
    """(name, rows, columns, base, scale): weights are base + scale * hash."""
    V, d, b, e = c["vocab"], c["embed"], c["turn_hidden"], c["encoder_hidden"]
    h, A = c["decoder_hidden"], c["attention"]
    out = []

    def add(name, rows, cols, base=0.0, scale=0.75):
        out.append((name, rows, cols, base, scale))

    def lstm(name, n, hidden):
        add(name + ".input", n, 4 * hidden)
        add(name + ".recurrent", hidden, 4 * hidden)
        add(name + ".bias", 1, 4 * hidden, 0.0, 0.5)

    def norm(name, n):
        add(name + ".gain", 1, n, 1.0, 0.5)
        add(name + ".bias", 1, n, 0.0, 0.5)

    add("embed.weight", V, d)
    add("embed.bias", 1, V)
    lstm("encoder.turn.forward", d, b)
    lstm("encoder.turn.backward", d, b)
    norm("encoder.turn.norm", 2 * b)
    lstm("encoder.dialogue", 2 * b, e)
    for kind in "key", "value":
        add(f"attention.{kind}.turn", 2 * b, A)
        add(f"attention.{kind}.dialogue", e, A)
    add("attention.null.key", 1, A)
    add("attention.null.value", 1, A)
    add("decoder.start.weight", e, 4 * h)
    add("decoder.start.bias", 1, 4 * h)
    lstm("decoder.layer1", d, h)
    add("attention.query", h, A)
    norm("decoder.norm", h + A)
    lstm("decoder.layer2", h + A, h)
    norm("output.norm", h + A)
    add("output.weight", h + A, d)
    add("output.bias", 1, d)
    add("copy.weight", 1, h + A)
    add("copy.bias", 1, 1)
    return out


def layer_norm(w, name, x):
    mean = x.sum() / x.numel()
    var = ((x - mean) ** 2).sum() / x.numel()
    return w[name + ".gain"][0] * (x - mean) / torch.sqrt(var + EPS) + w[name + ".bias"][0]


def lstm_step(w, name, x, state):
    h, c = state
    n = h.numel()
    a = x @ w[name + ".input"] + w[name + ".bias"][0] + h @ w[name + ".recurrent"]
    i, f = torch.sigmoid(a[:n]), torch.sigmoid(a[n:2 * n])
    g, o = torch.tanh(a[2 * n:3 * n]), torch.sigmoid(a[3 * n:])
    c = f * c + i * g
    return o * torch.tanh(c), c


def lstm(w, name, xs, state):
    out = []
    for x in xs:
        state = lstm_step(w, name, x, state)
        out.append(state[0])
    return out, state


def dialogue(c, w, turns):
    """turns: lists of (id, encoder's id, decoder's id). log p of every id at every position."""
    b, e, h, A = c["turn_hidden"], c["encoder_hidden"], c["decoder_hidden"], c["attention"]
    share = A // c["heads"]
    E = w["embed.weight"]
    scale = math.sqrt(c["embed"])
    zeros = lambda n: (torch.zeros(n), torch.zeros(n))
    carried = zeros(e)
    e_last = torch.zeros(e)
    said, keys, values = [], [], []          # of earlier turns
    result = []

    for turn in turns:
        # decode: sees what was said before this turn
        start = torch.tanh(e_last @ w["decoder.start.weight"] + w["decoder.start.bias"][0])
        s1 = start[:h], start[2 * h:3 * h]
        s2 = start[h:2 * h], start[3 * h:]
        memory_k = [w["attention.null.key"][0]] + keys[-c["window"]:]
        memory_v = [w["attention.null.value"][0]] + values[-c["window"]:]
        memory_id = said[-c["window"]:]
        for _, _, read in turn:
            s1 = lstm_step(w, "decoder.layer1", scale * E[read], s1)
            h1 = s1[0]
            q = h1 @ w["attention.query"]
            parts = []
            for n in range(c["heads"]):
                cols = slice(n * share, (n + 1) * share)
                score = torch.stack([(q[cols] * k[cols]).sum() for k in memory_k]) / math.sqrt(share)
                a = torch.exp(score) / torch.exp(score).sum()
                parts.append(sum(a[j] * v[cols] for j, v in enumerate(memory_v)))
            ctx = torch.cat(parts)
            s2 = lstm_step(w, "decoder.layer2", layer_norm(w, "decoder.norm", torch.cat([h1, ctx])), s2)
            top = s2[0] + h1 if c["residual"] else s2[0]
            z = layer_norm(w, "output.norm", torch.cat([top, ctx]))
            o = z @ w["output.weight"] + w["output.bias"][0]
            logits = E @ o + w["embed.bias"][0]
            P = torch.exp(logits) / torch.exp(logits).sum()
            if c["copy"]:
                g = torch.sigmoid((z * w["copy.weight"][0]).sum() + w["copy.bias"][0, 0])
                copied = torch.zeros(c["vocab"])
                for j, y in enumerate(memory_id):
                    copied = copied + a[1 + j] * torch.nn.functional.one_hot(torch.tensor(y), c["vocab"])
                P = (1 - g * (1 - a[0])) * P + g * copied
            result.append(torch.log(P))

        # encode: becomes memory of the turns after it
        xs = [scale * E[read] for _, read, _ in turn]
        there, _ = lstm(w, "encoder.turn.forward", xs, zeros(b))
        back, _ = lstm(w, "encoder.turn.backward", xs[::-1], zeros(b))
        inside = [layer_norm(w, "encoder.turn.norm", torch.cat(pair)) for pair in zip(there, back[::-1])]
        through, carried = lstm(w, "encoder.dialogue", inside, carried)
        for (y, _, _), bb, ee in zip(turn, inside, through):
            said.append(y)
            keys.append(bb @ w["attention.key.turn"] + ee @ w["attention.key.dialogue"])
            values.append(bb @ w["attention.value.turn"] + ee @ w["attention.value.dialogue"])
        e_last = through[-1]
    return result


# ---- what is asked of it ---------------------------------------------------------------

def make_dialogues(rng, vocab, lengths):
    """Few different ids, so that copying finds some; one in eight read as <null>."""
    out = []
    for turns in lengths:
        out.append([])
        for t, pieces in enumerate(turns):
            ids = [2 + t % 2] + [rng.choice([18, 20, 161, 162, 300, vocab - 1]) for _ in range(pieces)]
            read = lambda y: 1 if rng.random() < 0.125 else y
            out[-1].append([(y, read(y), read(y)) for y in ids])
    return out


def case(name, rng, lengths, **config):
    c = dict(vocab=423, embed=6, turn_hidden=5, encoder_hidden=7, decoder_hidden=8, attention=6,
             heads=3, window=9, copy=1, residual=1)
    c.update(config)
    layout = shapes(c)
    w = {}
    for k, (tensor, rows, cols, base, scale) in enumerate(layout):
        w[tensor] = (base + scale * hashes(k, rows * cols)).reshape(rows, cols).requires_grad_()
    dialogues = make_dialogues(rng, c["vocab"], lengths)
    ask = [0, 1, 2, 18, 20, 161, 300, c["vocab"] - 1]
    fixed = hashes(ROW, c["vocab"])
    rows, loss = [], 0
    for turns in dialogues:
        logp = iter(dialogue(c, w, turns))
        for turn in turns:
            for r, (y, enc, dec) in enumerate(turn):
                target = turn[r + 1][0] if r + 1 < len(turn) else 0
                weight = rng.choice([0, 0.5, 1, 1, 1])
                p = next(logp)
                assert abs(float(torch.exp(p).sum()) - 1) < 1e-12
                loss = loss - weight * p[target]
                v = p.detach()
                rows.append([y, enc, dec, target, weight, float(v[target]), float(v.sum()),
                             float((v * fixed).sum())] + [float(v[i]) for i in ask])
    loss.backward()
    tensors = []
    for k, (tensor, nrows, cols, base, scale) in enumerate(layout):
        g = w[tensor].grad
        n = nrows * cols
        g = torch.zeros(n) if g is None else g.reshape(n)
        # of embeddings, where there are many, those of ids in use
        at = [(18 * c["embed"] + i if tensor == "embed.weight" else i * 37) % n for i in range(16)]
        tensors.append([tensor, nrows, cols, base, scale, float(g.sum()), float((g * g).sum()),
                        float((g * hashes(DOT + k, n)).sum()), at, [float(g[i]) for i in at]])
    return dict(name=name, config=c, turns=[[len(t) for t in d] for d in dialogues], ask=ask,
                loss=float(loss.detach()), rows=rows, tensors=tensors)


def main():
    rng = random.Random(20)
    # pieces of each turn of each dialogue; 0: an empty turn, its tag alone
    lengths = [[3, 6, 0, 4, 11, 2], [5], [0, 3, 1]]
    cases = [
        case("whole model", rng, lengths),
        case("one head, no residual, everything in the window", rng, lengths, heads=1, window=100, residual=0),
        case("two heads, no copying", rng, lengths, heads=2, window=5, copy=0),
    ]
    out = sys.stdout
    for i, k in enumerate(cases):
        out.write("[{" if i == 0 else ",\n{")
        for key in "name", "config", "turns", "ask", "loss":
            out.write(f'"{key}": {json.dumps(k[key])},\n')
        for key, end in ("rows", ",\n"), ("tensors", ""):
            out.write(f'"{key}": [\n' + ",\n".join(json.dumps(r) for r in k[key]) + "]" + end)
        out.write("}")
    out.write("]\n")


if __name__ == "__main__":
    main()
