// tree.py's data as nodes, and what is written on them: pure functions, which also run without a page.
//
// nodes.py and words.py say the same in Python; tests/picture/golden/ holds the two together.
"use strict";

// ---------------------------------------------------------------- the tree

const ENTRY = -1;

/** The data as nodes: numbered in reading order, each with its parent, path, and copies in the whole network. */
function readTree(data) {
  const nodes = [];
  const read = (plain, parent, within) => {
    const node = {
      id: nodes.length, parent, depth: parent ? parent.depth + 1 : 0,
      name: plain.n, path: plain.p ?? (within ? within + "." + plain.n : plain.n),
      cls: data.classes[plain.c] || "", tone: data.tones[plain.c] || "",
      inputs: (plain.i || []).map((i) => data.shapes[i]), outputs: (plain.o || []).map((i) => data.shapes[i]),
      repeat: plain.r || 1, parallel: Boolean(plain.l), alike: plain.x || 0, closed: Boolean(plain.h),
      pill: plain.s || "", end: Boolean(plain.d),
      each: { P: plain.P || 0, M: plain.M || 0, A: plain.A || 0, L: plain.L || 0 },
    };
    node.copies = node.repeat * (parent ? parent.copies : 1);
    node.total = {};
    for (const what of "PMAL") node.total[what] = node.each[what] * node.copies;
    nodes.push(node);
    const inner = plain.x || plain.u ? within : node.path;
    node.kids = (plain.k || []).map((kid) => read(kid, node, inner));
    node.edges = plain.e || [];
    return node;
  };
  const root = read({ n: data.title, p: "", c: -1, k: data.kids, e: data.edges }, null, "");
  return { root, nodes, shapes: data.shapes, totals: data.totals };
}

/** What is open at first: the costliest groups, while the picture stays small. */
function firstOpen(tree, most = 16) {
  const open = new Set([0]);
  const cost = (node) => node.total.M || node.total.P;
  let shown = tree.root.kids.slice();
  for (;;) {
    const fits = (node) => node.kids.length && !node.closed && shown.length - 1 + node.kids.length <= most;
    const groups = shown.filter(fits);
    if (!groups.length) return open;
    const next = groups.reduce((best, node) => (cost(node) > cost(best) ? node : best));
    open.add(next.id);
    shown = shown.filter((node) => node !== next).concat(next.kids);
  }
}

/** All groups that stand less deep than this, but for chains. */
function openTo(tree, depth) {
  return new Set(tree.nodes.filter((node) => node.kids.length && !node.closed && node.depth < depth).map((node) => node.id));
}

// ---------------------------------------------------------------- words

/** Halves go up; no zeros at the end. */
function rounded(value, decimals) {
  const [whole, part] = String(Math.floor(value * 10 ** decimals + 0.5) / 10 ** decimals).split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? "." + part : "");
}

function significant(value) {
  let decimals = value < 10 ? 2 : value < 100 ? 1 : 0;
  for (let least = 1; value && value < least && decimals < 12; least /= 10) decimals++;
  return rounded(value, decimals);
}

const SCALES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

function count(value) {
  for (const [scale, unit] of SCALES) {
    if (value >= Math.max(scale * 0.9995, 1e4)) return significant(value / scale) + " " + unit;
  }
  return rounded(value, 0);
}

function bytes(value) {
  for (const [scale, unit] of SCALES) if (value >= scale * 0.9995) return significant(value / scale) + " " + unit + "B";
  return rounded(value, 0) + " bytes";
}

function milliseconds(value) {
  return significant(value) + " ms";
}

function share(part, whole) {
  if (!whole) return "";
  const percent = (100 * part) / whole;
  if (percent >= 9.95) return rounded(percent, 0) + " %";
  return percent >= 0.05 ? (Math.floor(percent * 10 + 0.5) / 10).toFixed(1) + " %" : "<0.1 %";
}

/** An upper estimate of a text's width, the same in every browser. */
function widthOf(words, size, bold) {
  let units = 0;
  for (const char of words) {
    const code = char.codePointAt(0);
    if (code > 0x2e80) units += 1.05;
    else if ("ijlI.,:;'|![]()/ ft-r·".includes(char)) units += 0.42;
    else if ("mwMW%@…—×".includes(char)) units += 1;
    else if (char !== char.toLowerCase() || code > 0x2ff) units += 0.78;
    else units += 0.65;
  }
  return units * size * (bold ? 1.1 : 1);
}

/** The words, their middle cut until they are no wider. */
function fit(words, width, size, bold) {
  const chars = Array.from(words);
  if (widthOf(words, size, bold) <= width) return words;
  for (let kept = chars.length - 1; kept > 1; kept--) {
    const head = Math.ceil((kept * 2) / 3);
    const cut = chars.slice(0, head).join("") + "…" + chars.slice(chars.length - (kept - head)).join("");
    if (widthOf(cut, size, bold) <= width) return cut;
  }
  return chars[0] + "…";
}
