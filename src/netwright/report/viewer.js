// The viewer of one network: "trunk and lanes", laid out here, so that a group opens at once.
//
// First the geometry, pure functions of the data (they run without a page, for tests), then the page.
// Names come from whoever wrote the network: they reach the page only as text.
"use strict";

// ---------------------------------------------------------------- the tree

const ENTRY = -1;

/** The data as nodes: numbered in reading order, each with its parent, path, and copies in the whole network. */
function readTree(data) {
  const nodes = [];
  const read = (plain, parent) => {
    const node = {
      id: nodes.length, parent, depth: parent ? parent.depth + 1 : 0,
      name: plain.n, path: plain.p, cls: data.classes[plain.c] || "", tone: data.tones[plain.c] || "",
      inputs: (plain.i || []).map((i) => data.shapes[i]), outputs: (plain.o || []).map((i) => data.shapes[i]),
      repeat: plain.r || 1, parallel: Boolean(plain.l), pill: plain.s || "", end: Boolean(plain.d),
      each: { P: plain.P || 0, M: plain.M || 0, A: plain.A || 0 },
    };
    node.copies = node.repeat * (parent ? parent.copies : 1);
    nodes.push(node);
    node.kids = (plain.k || []).map((kid) => read(kid, node));
    node.edges = plain.e || [];
    return node;
  };
  const root = read({ n: data.title, p: "", c: -1, k: data.kids, e: data.edges }, null);
  root.totals = data.totals;
  root.shapes = data.shapes;
  for (const node of nodes) {
    node.total = {};
    for (const what of "PMA") node.total[what] = node.each[what] * node.copies;
  }
  return { root, nodes, shapes: data.shapes, totals: data.totals };
}

/** What is open at first: the costliest groups, while the picture stays small. */
function firstOpen(tree, most = 16) {
  const open = new Set([0]);
  const cost = (node) => node.total.M || node.total.P;
  let shown = tree.root.kids.slice();
  for (;;) {
    const groups = shown.filter((node) => node.kids.length && shown.length - 1 + node.kids.length <= most);
    if (!groups.length) return open;
    const next = groups.reduce((best, node) => (cost(node) > cost(best) ? node : best));
    open.add(next.id);
    shown = shown.filter((node) => node !== next).concat(next.kids);
  }
}

// ---------------------------------------------------------------- words

function count(value) {
  for (const [scale, unit] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (value >= Math.max(scale * 0.9995, 1e4)) return Number((value / scale).toPrecision(3)) + unit;
  }
  return value.toLocaleString("en");
}

function bytes(value) {
  for (const [scale, unit] of [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"]]) {
    if (value >= scale * 0.9995) return Number((value / scale).toPrecision(3)) + " " + unit;
  }
  return value + " bytes";
}

function share(part, whole) {
  if (!whole || !part) return "";
  const percent = (100 * part) / whole;
  return percent >= 9.95 ? percent.toFixed(0) + "%" : percent >= 0.05 ? percent.toFixed(1) + "%" : "<0.1%";
}

/** An upper estimate of a text's width, the same in every browser. */
function widthOf(words, size, bold) {
  let units = 0;
  for (const char of words) {
    const code = char.codePointAt(0);
    if (code > 0x2e80) units += 1.05;
    else if ("ijlI.,:;'|![]()/ ft-r·".includes(char)) units += 0.42;
    else if ("mwMW%@…—×".includes(char)) units += 1;
    else if ((char >= "A" && char <= "Z") || code > 0x2ff) units += 0.78;
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

// ---------------------------------------------------------------- geometry

// Pixels: BELOW a row to the first line across its gap, LEVEL between lines, ABOVE the next row for the arrows.
const GAP = 34, LEVEL = 5, COLUMN = 28, LANE = 13, PAD = 14, HEADER = 46;
const NAME = 12.5, SMALL = 10.5, BELOW = 20, ABOVE = 14;

/**
 * Where everything stands: {boxes, wires, tags, width, height}, boxes in reading order.
 * A box is {node, kind: card|pill|group, x, y, width, height}; a wire {points, lane, arrow, scope, shape}.
 */
function layout(tree, open, heat = "M") {
  const picture = planScope(tree.root, { open, heat, tree }, 8, 8, 0);
  const boxes = [], wires = [], tags = [];
  const place = (part, dx, dy) => {
    for (const box of part.boxes) boxes.push({ ...box, x: box.x + dx, y: box.y + dy, axis: dx });
    for (const wire of part.wires) wires.push({ ...wire, points: wire.points.map(([x, y]) => [x + dx, y + dy]) });
    for (const tag of part.tags) tags.push({ ...tag, x: tag.x + dx, y: tag.y + dy });
    for (const [inner, x, y] of part.inside) place(inner, x + dx, y + dy);
  };
  place(picture, picture.left + PAD, 0);
  return { boxes, wires, tags, width: picture.left + picture.right + 2 * PAD, height: picture.height };
}

function wordsOf(node, view) {
  const costs = [];
  if (node.total.P) costs.push(count(node.total.P) + " params");
  if (node.total.M) costs.push(count(node.total.M) + " MACs");
  return {
    name: fit(node.name, 210, NAME, true) + (node.repeat > 1 ? " ×" + node.repeat : ""),
    cls: fit(node.cls, 170, SMALL),
    costs,
    share: share(node.total[view.heat], view.tree.totals[view.heat]),
  };
}

/** A closed module, or an operator. Its axis is its middle. */
function planCard(node, view, least) {
  const words = wordsOf(node, view);
  let width, height, kind;
  if (node.pill) {
    kind = "pill";
    width = Math.max(34, widthOf(node.pill, NAME, true) + 26);
    height = 26;
  } else {
    kind = "card";
    const mark = node.kids.length ? 16 : 0;
    const first = widthOf(words.name, NAME, true) + 16 + widthOf(words.cls, SMALL) + mark;
    const second = widthOf(words.costs.join(" · "), SMALL) + 14 + widthOf("99.9%", SMALL, true);
    width = Math.max(130, least, first + 30, second + 30);
    height = words.costs.length || words.share ? 44 : 28;
  }
  const box = { node, kind, words, x: -width / 2, y: 0, width, height };
  return {
    left: width / 2, right: width / 2, height, inX: [0], outX: [0], boxes: [box], wires: [], tags: [], inside: [],
  };
}

/** An open group: a frame around its scope, the header on both sides of the trunk. */
function planGroup(node, view) {
  const words = wordsOf(node, view);
  const named = Math.max(widthOf("▾ " + words.name, NAME, true), widthOf(words.cls, SMALL)) + 24;
  const second = [words.costs[1], words.share].filter(Boolean).join(" · ");
  const told = Math.max(widthOf(words.costs[0] || "", SMALL), widthOf(second, SMALL)) + 16;
  const inside = planScope(node, view, HEADER + 8, PAD, told);
  const left = Math.max(inside.left + PAD, named), right = inside.right + PAD;
  const box = {
    node, kind: "group", words: { ...words, second }, x: -left, y: 0, width: left + right, height: inside.height,
    told: inside.edge, named: named - 24, toldWidth: told - 16,
  };
  return {
    left, right, height: inside.height, inX: inside.inX, outX: inside.outX,
    boxes: [box], wires: [], tags: [], inside: [[inside, 0, 0]],
  };
}

/** The wires of a scope with the ports of closed children taken together: {a, ap, b, bp, shape}. */
function visibleEdges(scope, open) {
  const kids = scope.kids, seen = new Set(), edges = [];
  const isOpen = (i) => i >= 0 && i < kids.length && open.has(kids[i].id) && kids[i].kids.length > 0;
  for (const [a, ap, b, bp, words] of scope.edges) {
    const edge = {
      a, ap: a === ENTRY || isOpen(a) ? ap : 0, b, bp: b === kids.length || isOpen(b) ? bp : 0, words,
    };
    const key = [edge.a, edge.ap, edge.b, edge.bp].join();
    if (a >= b || seen.has(key)) continue;
    seen.add(key);
    edges.push(edge);
  }
  return edges;
}

/** The row of every child: the longest path to it; what nothing feeds stands right above what it feeds. */
function ranksOf(size, edges) {
  const before = Array.from({ length: size }, () => []), after = Array.from({ length: size }, () => []);
  const fed = new Set(), feeding = new Set();
  for (const { a, b } of edges) {
    if (b < size) fed.add(b);
    if (a >= 0) feeding.add(a);
    if (a >= 0 && b < size) { before[b].push(a); after[a].push(b); }
  }
  const rank = new Array(size).fill(0);
  for (let i = 0; i < size; i++) {
    for (const a of before[i]) rank[i] = Math.max(rank[i], rank[a] + 1);
    if (!fed.has(i) && !feeding.has(i) && i > 0) rank[i] = rank[i - 1] + 1;
  }
  for (let i = size - 1; i >= 0; i--) {
    if (!fed.has(i) && after[i].length) rank[i] = Math.max(0, Math.min(...after[i].map((b) => rank[b])) - 1);
  }
  const used = [...new Set(rank)].sort((one, other) => one - other);
  return { rank: rank.map((r) => used.indexOf(r)), before };
}

/** The longest path, ties by cost: one child of each row. */
function trunkOf(kids, rank, before) {
  const best = kids.map((kid) => kid.total.M || kid.total.P), came = new Array(kids.length).fill(-1);
  for (let i = 0; i < kids.length; i++) {
    for (const a of before[i]) {
      if (rank[i] - rank[a] === 1 && (came[i] < 0 || best[a] > best[came[i]])) came[i] = a;
    }
    if (came[i] >= 0) best[i] += best[came[i]];
  }
  const last = Math.max(...rank), trunk = new Set();
  let at = -1;
  for (let i = 0; i < kids.length; i++) if (rank[i] === last && (at < 0 || best[i] > best[at])) at = i;
  for (; at >= 0; at = came[at]) trunk.add(at);
  return trunk;
}

/**
 * One scope, in coordinates whose x = 0 is the trunk. No wire meets a box by construction: what is vertical
 * stands in the column of its end where that is free, or in a lane right of all; what is horizontal lies in a
 * gap between two rows, or beside the last box of a row.
 */
function planScope(scope, view, head, tail, told) {
  const kids = scope.kids, size = kids.length, edges = visibleEdges(scope, view.open);
  const { rank, before } = ranksOf(size, edges);
  const rows = [];
  rank.forEach((r, i) => (rows[r] = rows[r] || []).push(i));
  const bottomRow = rows.length;
  const rowOf = (i) => (i === ENTRY ? -1 : i === size ? bottomRow : rank[i]);
  const trunk = trunkOf(kids, rank, before);

  // Children, laid out first. Cards of one scope are of one width: a calm column.
  const isOpen = kids.map((kid) => view.open.has(kid.id) && kid.kids.length > 0);
  let least = 0;
  kids.forEach((kid, i) => {
    if (!isOpen[i] && !kid.pill) least = Math.max(least, 2 * planCard(kid, view, 0).left);
  });
  const parts = kids.map((kid, i) => (isOpen[i] ? planGroup(kid, view) : planCard(kid, view, least)));

  // Which port stands on the trunk: the one of the trunk's first (or last) child.
  const pick = (ports, better) => ports.reduce((best, edge) => (!best || better(edge, best) ? edge : best), null);
  const entering = pick(edges.filter((edge) => edge.a === ENTRY), (one, other) =>
    rowOf(one.b) - !!trunk.has(one.b) / 2 < rowOf(other.b) - !!trunk.has(other.b) / 2);
  const leaving = pick(edges.filter((edge) => edge.b === size), (one, other) =>
    rowOf(one.a) + !!trunk.has(one.a) / 2 > rowOf(other.a) + !!trunk.has(other.a) / 2);
  const mainIn = entering ? entering.ap : 0, mainOut = leaving ? leaving.bp : 0;
  const sideIn = (edge) => edge.a === ENTRY && edge.ap !== mainIn;
  const sideOut = (edge) => edge.b === size && edge.bp !== mainOut;

  // Columns: the trunk is 0; a branch keeps its column where that is free.
  const column = kids.map((_, i) => (trunk.has(i) ? 0 : -1));
  const taken = rows.map((row) => new Set(row.some((i) => trunk.has(i)) ? [0] : []));
  const longest = kids.map((_, i) =>
    Math.max(0, ...edges.filter((edge) => edge.a === i && !sideOut(edge)).map((edge) => rowOf(edge.b))));
  for (const row of rows) {
    for (const i of row) {
      if (column[i] < 0) {
        const free = (c) => !taken[rank[i]].has(c);
        column[i] = before[i].map((a) => column[a]).find((c) => c > 0 && free(c)) ?? -1;
        for (let c = 1; column[i] < 0; c++) if (free(c)) column[i] = c;
        taken[rank[i]].add(column[i]);
      }
    }
    for (const i of row) { // a branch that ends early goes down in its own column
      if (column[i] > 0 && !edges.some((edge) => edge.a === i && rowOf(edge.b) === rank[i] + 1)) {
        for (let r = rank[i] + 1; r < longest[i]; r++) taken[r].add(column[i]);
      }
    }
  }
  const standing = new Set(kids.map((_, i) => rank[i] + "," + column[i]));
  const drops = (edge) => {
    if (edge.a < 0 || column[edge.a] <= 0 || sideOut(edge) || edge.ap !== 0) return false;
    for (let r = rank[edge.a] + 1; r < rowOf(edge.b); r++) if (standing.has(r + "," + column[edge.a])) return false;
    return true;
  };

  // The x of every column, and of the right edge of them all.
  const tagOf = new Map();
  for (const edge of edges) if (edge.a >= 0 && !tagOf.has(edge.a)) tagOf.set(edge.a, view.tree.shapes[edge.words]);
  const axis = [];
  let edgeX = 0;
  for (let c = 0; c <= Math.max(...column); c++) {
    const members = kids.map((_, i) => i).filter((i) => column[i] === c);
    axis[c] = c && members.length ? edgeX + COLUMN + Math.max(...members.map((i) => parts[i].left)) : c ? edgeX : 0;
    for (const i of members) {
      edgeX = Math.max(edgeX, axis[c] + parts[i].right, axis[c] + 8 + widthOf(tagOf.get(i) || "", SMALL));
    }
  }
  edgeX = Math.max(edgeX, told);
  const leftX = Math.max(...parts.map((part, i) => part.left - axis[column[i]]));
  const footX = (i, port) => (i === ENTRY ? 0 : axis[column[i]] + (parts[i].outX[port] ?? 0));
  const headX = (i, port) => (i === size ? 0 : axis[column[i]] + (parts[i].inX[port] ?? 0));

  // How each edge goes.
  const hasOnward = new Set(edges.filter((edge) => rowOf(edge.b) - rowOf(edge.a) === 1).map((edge) => edge.a));
  const beside = kids.map((_, i) => !isOpen[i] && column[i] === Math.max(...rows[rank[i]].map((j) => column[j])));
  const lanes = new Map(), levels = Array.from({ length: bottomRow + 1 }, () => new Map());
  const level = (gap, key, order) => levels[gap].has(key) || levels[gap].set(key, order);
  for (const edge of edges) {
    const { a, ap, b, bp } = edge, out = `o${a}.${ap}`, into = `i${b}.${bp}`, gap = rowOf(b);
    const far = gap - rowOf(a) > 1 || sideIn(edge) || sideOut(edge);
    const order = a === ENTRY ? 0 : column[a];
    if (far && drops(edge)) {
      edge.way = "drop";
      level(gap, out, -1000 - order);
    } else if (far) {
      edge.way = "lane";
      const key = `${a}.${ap}`;
      if (!lanes.has(key)) {
        const aside = a >= 0 && beside[a] && hasOnward.has(a);
        const begin = sideIn(edge) ? -1 : aside ? 2 * rank[a] + 1 : 2 * rowOf(a) + 2;
        lanes.set(key, { begin, end: begin, aside, border: sideIn(edge) });
        if (!aside && !sideIn(edge)) level(rowOf(a) + 1, out, -order);
      }
      const lane = lanes.get(key), touch = b < size && beside[b];
      edge.touch = touch;
      lane.end = Math.max(lane.end, sideOut(edge) ? 2 * bottomRow + 1 : touch ? 2 * gap + 1 : 2 * gap);
      if (!touch && !sideOut(edge)) level(gap, into, 1000);
    } else if (Math.abs(footX(a, ap) - headX(b, bp)) > 0.5) {
      edge.way = "bend";
      level(gap, out, -order);
    } else edge.way = "straight";
  }

  // An open group in a branch that ends early reaches down beside the rows below it, where nothing goes across.
  const touched = new Set();
  for (const edge of edges) {
    if (edge.way !== "lane") continue;
    if (lanes.get(`${edge.a}.${edge.ap}`).aside) touched.add(rank[edge.a]);
    if (edge.touch) touched.add(rowOf(edge.b));
  }
  const reach = kids.map((_, i) => {
    let r = rank[i] + 1;
    const ends = edges.filter((edge) => edge.a === i);
    if (isOpen[i] && column[i] > 0 && ends.length && ends.every((edge) => edge.way === "drop")) {
      const last = Math.min(...ends.map((edge) => rowOf(edge.b)));
      while (r < last && !touched.has(r) && !levels[r].size) r++;
    }
    return r; // the first row that must stand below it
  });

  // Tracks for the lanes: the shortest innermost; one is used again where it is free.
  const tracks = [];
  for (const lane of [...lanes.values()].sort((one, other) => one.end - one.begin - (other.end - other.begin))) {
    const clear = (span) => span.end < lane.begin || lane.end < span.begin ||
      (span.end === lane.begin && lane.aside) || (lane.end === span.begin && span.aside);
    let k = tracks.findIndex((track) => track.every(clear));
    if (k < 0) k = tracks.push([]) - 1;
    tracks[k].push(lane);
    lane.x = edgeX + LANE * (k + 1);
  }

  // Rows from the top; a gap grows with what crosses it.
  const tops = [], levelY = [];
  let y = 0;
  for (let gap = 0; gap <= bottomRow; gap++) {
    kids.forEach((_, i) => {
      if (reach[i] === gap) y = Math.max(y, tops[rank[i]] + parts[i].height);
    });
    const keys = [...levels[gap]].sort((one, other) => one[1] - other[1]).map(([key]) => key);
    const first = gap === 0 ? head : y + (gap === bottomRow ? ABOVE - 4 : BELOW);
    levelY.push(new Map(keys.map((key, k) => [key, first + LEVEL * k])));
    const last = first + LEVEL * (keys.length - 1);
    if (gap === bottomRow) y = keys.length ? last + tail : y + tail;
    else {
      tops[gap] = gap === 0 ? (keys.length ? last + ABOVE : head) : Math.max(y + GAP, keys.length ? last + ABOVE : 0);
      y = tops[gap];
    }
  }
  const height = y;

  const picture = {
    left: leftX, right: edgeX + LANE * tracks.length + (tracks.length ? 4 : 0), height, edge: edgeX,
    inX: [], outX: [], boxes: [], wires: [], tags: [],
    inside: parts.map((part, i) => [part, axis[column[i]], tops[rank[i]]]),
  };
  kids.forEach((kid, i) => {
    if (tagOf.has(i) && rowOf(i) < bottomRow - (scope.parent ? 1 : 0)) {
      picture.tags.push({ x: axis[column[i]] + 7, y: tops[rank[i]] + parts[i].height + 14, words: tagOf.get(i) });
    }
  });
  for (const edge of edges) {
    if (edge.a === ENTRY) picture.inX[edge.ap] = sideIn(edge) ? lanes.get(`-1.${edge.ap}`).x : 0;
    if (edge.b === size) picture.outX[edge.bp] = sideOut(edge) ? lanes.get(`${edge.a}.${edge.ap}`).x : 0;
  }
  const tip = (edge) => {
    if (edge.b === size) return [0, height];
    return [headX(edge.b, edge.bp), tops[rank[edge.b]]];
  };
  const foot = (edge) => {
    if (edge.a === ENTRY) return [0, 0];
    return [footX(edge.a, edge.ap), tops[rank[edge.a]] + parts[edge.a].height];
  };
  for (const edge of edges) {
    const { a, ap, b, bp } = edge, gap = rowOf(b), [x1, y1] = foot(edge), [x2, y2] = tip(edge);
    let points;
    if (edge.way === "straight") points = [[x1, y1], [x2, y2]];
    else if (edge.way === "bend" || edge.way === "drop") {
      const across = levelY[gap].get(`o${a}.${ap}`);
      points = [[x1, y1], [x1, across], [x2, across], [x2, y2]];
    } else {
      const lane = lanes.get(`${a}.${ap}`), right = (i) => axis[column[i]] + parts[i].right;
      if (lane.border) points = [[lane.x, 0]];
      else if (lane.aside) {
        const from = tops[rank[a]] + parts[a].height * 0.72;
        points = [[right(a), from], [lane.x, from]];
      } else {
        const across = levelY[rowOf(a) + 1].get(`o${a}.${ap}`);
        points = [[x1, y1], [x1, across], [lane.x, across]];
      }
      if (sideOut(edge)) points.push([lane.x, height]);
      else if (edge.touch) {
        const to = tops[rank[b]] + parts[b].height * 0.35;
        points.push([lane.x, to], [right(b), to]);
      } else {
        const across = levelY[gap].get(`i${b}.${bp}`);
        points.push([lane.x, across], [x2, across], [x2, y2]);
      }
    }
    picture.wires.push({
      points, lane: edge.way === "lane", arrow: b < size && !isOpen[b], scope: scope.id, shape: view.tree.shapes[edge.words],
      from: a === ENTRY ? scope.id : kids[a].id, port: ap, to: b === size ? scope.id : kids[b].id,
    });
  }
  return picture;
}

// ---------------------------------------------------------------- the page

const SVG = "http://www.w3.org/2000/svg";
const HEATS = [["M", "MACs"], ["P", "Parameters"], ["A", "Activations"]];

function element(name, attributes = {}, words = null) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (words !== null) made.textContent = words;
  return made;
}

function shapeOf(name, attributes = {}, words = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (words !== null) made.textContent = words;
  return made;
}

/** An orthogonal line with rounded corners. */
function pathOf(points, radius = 6) {
  const towards = ([x, y], [ox, oy]) => {
    const dx = ox - x, dy = oy - y, length = Math.abs(dx) + Math.abs(dy);
    const part = length ? Math.min(radius, length / 2) / length : 0;
    return [x + dx * part, y + dy * part];
  };
  const at = ([x, y]) => x.toFixed(1) + " " + y.toFixed(1);
  let words = "M" + at(points[0]);
  for (let k = 1; k < points.length - 1; k++) {
    words += "L" + at(towards(points[k], points[k - 1])) + "Q" + at(points[k]) + " " + at(towards(points[k], points[k + 1]));
  }
  return words + "L" + at(points[points.length - 1]);
}

class Viewer {
  constructor(place, data) {
    this.data = data;
    this.tree = readTree(data);
    this.open = firstOpen(this.tree);
    this.heat = HEATS.map(([key]) => key).find((key) => data.totals[key]) || "P";
    this.selected = null;
    this.found = new Set();
    this.zoom = 1;
    this.build(place);
    this.draw();
    this.centre();
  }

  // -- what stands around the picture

  build(place) {
    const { data } = this;
    const bar = element("header", { class: "bar" });
    const title = element("div", { class: "title" });
    title.append(element("h1", {}, data.title));
    const costs = [count(data.totals.P) + " parameters", count(data.totals.M) + " MACs", bytes(data.totals.A) + " activations"];
    title.append(element("p", {}, (data.class === data.title ? "" : data.class + " · ") + costs.join(" · ")));
    if (data.missed.length) {
      title.append(element("p", { class: "note" }, "Not counted: " + data.missed.join(", ") + "; MACs are a lower bound."));
    }
    bar.append(title);

    const heats = element("div", { class: "choice", role: "group", "aria-label": "Colour by" });
    heats.append(element("span", {}, "Colour by"));
    this.heatButtons = HEATS.map(([key, words]) => {
      const button = this.button(heats, words, () => this.recolour(key));
      button.dataset.heat = key;
      return button;
    });
    bar.append(heats);
    const opening = element("div", { class: "choice", role: "group", "aria-label": "Groups and zoom" });
    this.button(opening, "Expand all", () => this.openAll(true));
    this.button(opening, "Collapse all", () => this.openAll(false));
    this.button(opening, "−", () => this.scale(this.zoom / 1.25)).setAttribute("aria-label", "Zoom out");
    this.button(opening, "+", () => this.scale(this.zoom * 1.25)).setAttribute("aria-label", "Zoom in");
    this.button(opening, "Fit", () => this.fitWidth());
    bar.append(opening);
    const search = element("label", { class: "search" });
    this.field = element("input", { type: "search", placeholder: "Search name or class", "aria-label": "Search name or class" });
    this.field.addEventListener("input", () => this.search(this.field.value));
    this.field.addEventListener("keydown", (event) => event.key === "Enter" && this.nextFound());
    this.matches = element("span", { class: "matches", role: "status" });
    search.append(this.field, this.matches);
    bar.append(search);

    this.stage = element("main", { class: "stage", tabindex: "-1" });
    this.canvas = element("div", { class: "canvas" });
    this.stage.append(this.canvas);
    this.stage.addEventListener("click", (event) => this.click(event));
    this.stage.addEventListener("keydown", (event) => this.key(event));
    this.details = element("aside", { class: "details", "aria-label": "Details", "aria-live": "polite" });
    place.append(bar, this.stage, this.details);
    this.tell();
  }

  button(place, words, action) {
    const made = element("button", { type: "button" }, words);
    made.addEventListener("click", action);
    place.append(made);
    return made;
  }

  // -- the picture

  draw() {
    const begun = performance.now();
    this.picture = layout(this.tree, this.open, this.heat);
    this.layoutTime = performance.now() - begun;
    const { boxes, wires, tags, width, height } = this.picture;
    const svg = shapeOf("svg", {
      viewBox: `0 0 ${width.toFixed(0)} ${height.toFixed(0)}`, width: (width * this.zoom).toFixed(0),
      height: (height * this.zoom).toFixed(0), role: "group", "aria-label": "Picture of " + this.data.title,
    });
    const defs = shapeOf("defs");
    for (const kind of ["wire", "lane"]) { // one arrow for each colour: context-stroke is not understood everywhere
      const marker = shapeOf("marker", {
        id: "arrow-" + kind, viewBox: "0 0 8 8", refX: 7, refY: 4, orient: "auto",
        markerUnits: "userSpaceOnUse", markerWidth: 10, markerHeight: 10,
      });
      marker.append(shapeOf("path", { d: "M0 0.8 8 4 0 7.2Z", class: "arrow " + kind }));
      defs.append(marker);
    }
    svg.append(defs);
    this.drawn = new Map();
    for (const box of boxes) {
      const made = box.kind === "group" ? this.frame(box) : this.card(box);
      this.drawn.set(box.node.id, made);
      svg.append(made);
    }
    const lines = shapeOf("g", { class: "wires" });
    this.lines = [];
    for (const wire of wires) {
      const kind = wire.lane ? "lane" : "wire";
      const line = shapeOf("path", { d: pathOf(wire.points), class: kind });
      if (wire.arrow) line.setAttribute("marker-end", `url(#arrow-${kind})`);
      line.append(shapeOf("title", {}, wire.shape));
      lines.append(line);
      this.lines.push([wire, line]);
    }
    for (const tag of tags) lines.append(shapeOf("text", { x: tag.x, y: tag.y, class: "shape" }, tag.words));
    svg.append(lines);
    this.canvas.replaceChildren(svg);
    this.svg = svg;
    this.paint();
  }

  group(box, words) {
    const { node } = box, made = shapeOf("g", { class: "node " + box.kind, "data-id": node.id, tabindex: 0 });
    made.setAttribute("role", "button");
    made.setAttribute("aria-label", [node.name, node.cls, words.costs.join(", ")].filter(Boolean).join(", "));
    if (node.kids.length) made.setAttribute("aria-expanded", box.kind === "group");
    return made;
  }

  frame(box) {
    const { x, y, width, height, words } = box, made = this.group(box, words);
    made.append(shapeOf("rect", { x, y, width, height, rx: 10, class: "frame" }));
    made.append(shapeOf("rect", { x, y, width, height: HEADER - 4, rx: 10, class: "header" }));
    made.append(shapeOf("text", { x: x + 12, y: y + 19, class: "name" }, "▾ " + words.name));
    made.append(shapeOf("text", { x: x + 12, y: y + 34, class: "small" }, words.cls));
    const right = box.axis + box.told;
    made.append(shapeOf("text", { x: right, y: y + 19, class: "small end" }, words.costs[0] || ""));
    made.append(shapeOf("text", { x: right, y: y + 34, class: "small end" }, words.second));
    return made;
  }

  card(box) {
    const { x, y, width, height, node, words } = box, made = this.group(box, words);
    if (box.kind === "pill") {
      made.append(shapeOf("rect", { x, y, width, height, rx: height / 2, class: "body" }));
      made.append(shapeOf("text", { x: x + width / 2, y: y + 17.5, class: "name middle" }, node.pill));
      return made;
    }
    if (node.repeat > 1) made.append(shapeOf("rect", { x: x + 4, y: y + 4, width, height, rx: 8, class: "behind" }));
    made.append(shapeOf("rect", { x, y, width, height, rx: 8, class: "body" }));
    made.append(shapeOf("rect", { x, y, width, height, rx: 8, class: "heat" }));
    made.append(shapeOf("rect", { x: x + 6, y: y + 7, width: 3, height: height - 14, rx: 1.5, class: "stripe " + node.tone }));
    const mark = node.kids.length ? "▸ " : "";
    made.append(shapeOf("text", { x: x + 16, y: y + 18.5, class: "name" }, mark + words.name));
    made.append(shapeOf("text", { x: x + width - 10, y: y + 18.5, class: "small end" }, words.cls));
    if (height > 30) {
      made.append(shapeOf("text", { x: x + 16, y: y + 35.5, class: "small" }, words.costs.join(" · ")));
      made.append(shapeOf("text", { x: x + width - 10, y: y + 35.5, class: "share end" }, words.share));
    }
    return made;
  }

  /** Heat, search and selection: what changes without a new layout. */
  paint() {
    const whole = this.data.totals[this.heat];
    const sought = this.field.value.trim() !== "";
    const shown = new Set([...this.found].map((node) => this.visible(node).id));
    for (const [id, made] of this.drawn) {
      const node = this.tree.nodes[id], part = whole ? node.total[this.heat] / whole : 0;
      const heat = made.querySelector(".heat");
      if (heat) heat.setAttribute("fill-opacity", part > 0 ? (0.04 + 0.56 * part ** 0.7).toFixed(3) : "0");
      made.classList.toggle("found", shown.has(id));
      made.classList.toggle("dim", sought && !shown.has(id));
      made.classList.toggle("selected", this.selected === node);
    }
    const chosen = this.selected ? this.selected.id : -1;
    for (const [wire, line] of this.lines) line.classList.toggle("chosen", wire.from === chosen || wire.to === chosen);
    for (const button of this.heatButtons) {
      button.setAttribute("aria-pressed", button.dataset.heat === this.heat);
      button.disabled = !this.data.totals[button.dataset.heat];
    }
  }

  recolour(heat) {
    this.heat = heat;
    this.draw(); // the share on each card is of what colours it; nothing moves
  }

  // -- opening and closing

  toggle(node) {
    if (!node.kids.length) return;
    if (this.open.has(node.id)) this.open.delete(node.id);
    else this.open.add(node.id);
    this.keep(node, () => this.draw());
  }

  openAll(all) {
    const held = this.selected && !all ? this.topmost(this.selected) : this.selected;
    this.open = new Set([0]);
    if (all) for (const node of this.tree.nodes) if (node.kids.length) this.open.add(node.id);
    this.keep(held, () => this.draw());
  }

  topmost(node) {
    while (node.parent && node.parent.parent) node = node.parent;
    return node;
  }

  /** The node itself, or the closed group it is in. */
  visible(node) {
    let shown = node;
    for (let at = node.parent; at; at = at.parent) if (!this.open.has(at.id)) shown = at;
    return shown;
  }

  /** Draws anew while a node's name stays where it is on the screen, and the focus where it was. */
  keep(node, action) {
    const { stage, canvas } = this;
    const where = () => {
      const box = node && this.picture.boxes.find((other) => other.node === node);
      return box && [box.axis * this.zoom, box.y * this.zoom];
    };
    const pads = () => [parseFloat(canvas.style.paddingLeft) || 0, parseFloat(canvas.style.paddingTop) || 0];
    const focus = document.activeElement && document.activeElement.closest ? document.activeElement.closest("[data-id]") : null;
    const focused = focus ? focus.dataset.id : null;
    const before = where(), padsBefore = pads();
    const at = before && [before[0] + padsBefore[0] - stage.scrollLeft, before[1] + padsBefore[1] - stage.scrollTop];
    action();
    if (focused !== null && this.drawn.has(Number(focused))) {
      this.drawn.get(Number(focused)).focus({ preventScroll: true });
    }
    const after = where();
    for (const side of ["Left", "Top", "Right", "Bottom"]) canvas.style["padding" + side] = "";
    if (!at || !after) {
      this.centre();
      return;
    }
    // Where the page cannot be scrolled so far, an empty margin makes room.
    const left = after[0] - at[0], top = after[1] - at[1];
    if (left < 0) canvas.style.paddingLeft = -left + "px";
    if (top < 0) canvas.style.paddingTop = -top + "px";
    const short = left + stage.clientWidth - stage.scrollWidth, low = top + stage.clientHeight - stage.scrollHeight;
    if (short > 0) canvas.style.paddingRight = short + "px";
    if (low > 0) canvas.style.paddingBottom = low + "px";
    stage.scrollLeft = Math.max(0, left);
    stage.scrollTop = Math.max(0, top);
  }

  /** The picture in the middle, or where it is too wide the trunk. */
  centre() {
    const { stage, canvas } = this, spare = stage.clientWidth - this.picture.width * this.zoom;
    canvas.style.paddingLeft = Math.max(0, spare / 2) + "px";
    const trunk = this.picture.boxes.length ? this.picture.boxes[0].axis * this.zoom : 0;
    stage.scrollLeft = Math.max(0, trunk - stage.clientWidth / 2);
    stage.scrollTop = 0;
  }

  scale(zoom) {
    this.zoom = Math.min(3, Math.max(0.15, zoom));
    this.keep(this.anchor(), () => this.draw());
  }

  /** What stays in its place when the size changes: what is selected, else the first box in sight. */
  anchor() {
    const { stage, zoom } = this;
    const inSight = (box) => box.y * zoom >= stage.scrollTop && box.y * zoom < stage.scrollTop + stage.clientHeight;
    const boxes = this.picture.boxes.filter(inSight);
    const box = boxes.find((other) => other.node === this.selected) || boxes[0];
    return box ? box.node : null;
  }

  fitWidth() {
    const { width, height } = this.picture;
    this.scale(Math.min(1, (this.stage.clientWidth - 24) / width, Math.max(0.3, (this.stage.clientHeight - 24) / height)));
    this.centre();
  }

  // -- hands

  click(event) {
    const made = event.target.closest("[data-id]");
    if (!made) return;
    const node = this.tree.nodes[Number(made.dataset.id)];
    this.select(node);
    if (!event.target.classList.contains("frame")) this.toggle(node);
  }

  key(event) {
    const made = event.target.closest("[data-id]");
    if (!made) return;
    const node = this.tree.nodes[Number(made.dataset.id)], opened = this.open.has(node.id);
    const order = [...this.drawn.keys()], at = order.indexOf(node.id);
    let next = null;
    if (event.key === "Enter" || event.key === " ") {
      this.select(node);
      this.toggle(node);
    } else if (event.key === "ArrowRight" && node.kids.length && !opened) this.toggle(node);
    else if (event.key === "ArrowLeft" && opened) this.toggle(node);
    else if (event.key === "ArrowLeft" && node.parent && node.parent.id) next = node.parent.id;
    else if (event.key === "ArrowDown") next = order[at + 1];
    else if (event.key === "ArrowUp") next = order[at - 1];
    else return;
    event.preventDefault();
    if (next !== null && this.drawn.has(next)) {
      this.drawn.get(next).focus();
      this.select(this.tree.nodes[next]);
    }
  }

  search(words) {
    const sought = words.trim().toLowerCase();
    const texts = (node) => (sought.includes(".") ? [node.path] : [node.name, node.cls, node.pill]);
    const has = (node) => node.id && texts(node).some((text) => text.toLowerCase().includes(sought));
    this.found = new Set(sought ? this.tree.nodes.filter(has) : []);
    this.at = -1;
    this.matches.textContent = sought ? this.found.size + " found" : "";
    this.paint();
  }

  /** Opens the groups around the next match, and shows it. */
  nextFound() {
    const found = [...this.found];
    if (!found.length) return;
    this.at = (this.at + 1) % found.length;
    const node = found[this.at];
    for (let at = node.parent; at; at = at.parent) this.open.add(at.id);
    this.draw();
    this.select(node);
    this.matches.textContent = `${this.at + 1} of ${found.length}`;
    this.drawn.get(node.id).scrollIntoView({ block: "center", inline: "center" });
  }

  select(node) {
    this.selected = node;
    this.tell();
    this.paint();
  }

  /** The details of the selected node. */
  tell() {
    const node = this.selected, list = element("dl");
    const say = (name, words) => words && list.append(element("dt", {}, name), element("dd", {}, words));
    if (!node) {
      const words = "Select a module for its details. A click or Enter opens and closes a group.";
      this.details.replaceChildren(element("p", { class: "hint" }, words), element("p", { class: "hint" }, this.data.how));
      return;
    }
    say("Path", node.path);
    say("Class", node.cls);
    say(node.parallel ? "Copies, in parallel" : "Copies", node.repeat > 1 ? "×" + node.repeat : "");
    say(node.inputs.length > 1 ? "Inputs" : "Input", node.end ? "" : node.inputs.slice(0, 8).join("\n"));
    say(node.outputs.length > 1 ? "Outputs" : "Output", node.outputs.slice(0, 8).join("\n"));
    const holds = (name) => name.slice(0, name.lastIndexOf(".")) === node.path;
    const tied = this.data.tied.filter((names) => names.some(holds)).flatMap((names) => names.filter((name) => !holds(name)));
    say("Weights shared with", tied.join("\n"));
    const several = node.copies > 1;
    for (const [key, name] of [["P", "Parameters"], ["M", "MACs"], ["A", "Activations"]]) {
      if (node.end) continue;
      const words = (value) => (key === "A" ? bytes(value) : value.toLocaleString("en"));
      const part = share(node.total[key], this.data.totals[key]);
      say(name, words(node.total[key]) + (part ? ` (${part})` : "") + (several ? `\n${words(node.each[key])} each, ×${node.copies}` : ""));
    }
    this.details.replaceChildren(element("h2", {}, node.name), list);
  }
}

/** What a person would try, tried: for tests, at "#selftest"; the result stands in the page's root element. */
function selfTest(viewer) {
  const done = { errors: [] };
  try {
    const shown = () => viewer.svg.querySelectorAll("[data-id]").length;
    const slowest = () => (done.layout = Math.max(done.layout || 0, viewer.layoutTime));
    done.first = shown();
    viewer.openAll(false);
    done.collapsed = shown();
    const group = viewer.tree.root.kids.find((node) => node.kids.length);
    if (group) {
      const place = () => viewer.drawn.get(group.id).querySelector("text.name").getBoundingClientRect();
      const before = place();
      viewer.drawn.get(group.id).focus({ preventScroll: true });
      viewer.drawn.get(group.id).dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
      done.opened = shown();
      done.moved = Math.abs(place().top - before.top);
      done.focused = document.activeElement === viewer.drawn.get(group.id);
      viewer.drawn.get(group.id).querySelector(".header").dispatchEvent(new MouseEvent("click", { bubbles: true }));
      done.closed = shown();
    }
    for (const node of viewer.tree.nodes.filter((other) => other.id && other.kids.length).slice(0, 25)) {
      for (let turn = 0; turn < 3; turn++) { // open, closed, open
        if (!viewer.drawn.has(node.id)) break;
        const place = () => viewer.drawn.get(node.id).querySelector("text.name").getBoundingClientRect();
        if (turn === 0) viewer.drawn.get(node.id).scrollIntoView({ block: "center" });
        const before = place(), axis = viewer.picture.boxes.find((box) => box.node === node).axis;
        const left = axis - viewer.stage.scrollLeft + parseFloat(viewer.canvas.style.paddingLeft || 0);
        viewer.toggle(node);
        const now = viewer.picture.boxes.find((box) => box.node === node).axis;
        const leftNow = now - viewer.stage.scrollLeft + parseFloat(viewer.canvas.style.paddingLeft || 0);
        done.moved = Math.max(done.moved || 0, Math.abs(place().top - before.top), Math.abs(leftNow - left));
      }
    }
    viewer.openAll(true);
    const begun = performance.now();
    viewer.openAll(true);
    viewer.svg.getBoundingClientRect();
    done.redraw = performance.now() - begun;
    done.expanded = shown();
    slowest();
    const colours = () => [...viewer.svg.querySelectorAll(".heat")].map((made) => made.getAttribute("fill-opacity")).join();
    done.colours = new Set(HEATS.map(([key]) => (viewer.recolour(key), colours()))).size;
    viewer.field.value = viewer.tree.nodes[2].name;
    viewer.search(viewer.field.value);
    viewer.nextFound();
    done.found = viewer.svg.querySelectorAll(".found").length;
    done.details = viewer.details.querySelectorAll("dd").length;
    done.requests = performance.getEntriesByType("resource").length;
    done.elements = document.querySelectorAll("script, img, iframe, link, b").length;
  } catch (error) {
    done.errors.push(String(error));
  }
  document.documentElement.dataset.selftest = JSON.stringify(done);
}

if (typeof document !== "undefined") {
  const viewer = new Viewer(document.getElementById("viewer"), JSON.parse(document.getElementById("network").textContent));
  if (location.hash === "#selftest") selfTest(viewer);
  if (location.hash === "#open") viewer.openAll(true);
}

if (typeof module !== "undefined") module.exports = { readTree, firstOpen, layout, widthOf, fit, count, bytes, share };
