// The layout, "trunk and lanes": pure functions of nodes.js's nodes and of which of them are open.
//
// layout.py says the same in Python, function for function; tests/picture/golden/ holds the two together.
"use strict";

// Pixels: BELOW a row to the first line across its gap, LEVEL between lines, ABOVE the next row for the arrows.
const GAP = 34, LEVEL = 5, COLUMN = 28, LANE = 13, PAD = 14, HEADER = 46;
const NAME = 12.5, SMALL = 10.5, BELOW = 20, ABOVE = 14;

/**
 * Where everything stands: {boxes, wires, tags, width, height, axis}, boxes in reading order; the axis is the trunk's.
 * A box is {node, kind: card|pill|group, words, x, y, width, height, axis}; a wire {points, lane, arrow, scope, from, to}.
 */
function layout(tree, open) {
  const picture = new Scope(tree.root, { tree, open }, 8, 8, 0).part();
  const boxes = [], wires = [], tags = [];
  const place = (part, dx, dy) => {
    for (const box of part.boxes) boxes.push({ ...box, x: box.x + dx, y: box.y + dy, axis: dx });
    for (const wire of part.wires) wires.push({ ...wire, points: wire.points.map(([x, y]) => [x + dx, y + dy]) });
    for (const tag of part.tags) tags.push({ ...tag, x: tag.x + dx, y: tag.y + dy });
    for (const [inner, x, y] of part.inside) place(inner, x + dx, y + dy);
  };
  place(picture, picture.left + PAD, 0);
  const axis = picture.left + PAD, width = axis + picture.right + PAD;
  return { boxes, wires, tags, width, height: picture.height, axis };
}

/** What is written on a card, or in a group's header. */
function wordsOf(node) {
  if (node.words) return node.words;
  const costs = [], times = node.repeat > 1 ? node.repeat : node.alike;
  if (node.total.P) costs.push(count(node.total.P) + " params");
  if (node.total.M) costs.push(count(node.total.M) + " MACs");
  node.words = { name: fit(node.name, 210, NAME, true) + (times ? " ×" + times : ""), cls: fit(node.cls, 200, SMALL), costs };
  return node.words;
}

/** How wide its words make a card or a pill. */
function cardWidth(node) {
  if (node.pill) return Math.max(34, widthOf(node.pill, NAME, true) + 26);
  const words = wordsOf(node), mark = node.kids.length ? 16 : 0;
  const first = widthOf(words.name, NAME, true) + 16 + widthOf(words.cls, SMALL) + mark;
  const second = widthOf(words.costs.join(" · "), SMALL) + 14 + widthOf("99.9 %", SMALL, true);
  return Math.max(130, first + 30, second + 30);
}

/** A closed module, or an operator. Its axis is its middle. */
function planCard(node, width) {
  const words = wordsOf(node), kind = node.pill ? "pill" : "card";
  const height = node.pill ? 26 : words.costs.length ? 44 : 28;
  const box = { node, kind, words, x: -width / 2, y: 0, width, height };
  return { left: width / 2, right: width / 2, height, inX: [0], outX: [0], boxes: [box], wires: [], tags: [], inside: [] };
}

/** An open group: a frame around its scope, the header on both sides of the trunk. */
function planGroup(node, view) {
  const words = wordsOf(node);
  const named = Math.max(widthOf("▾ " + words.name, NAME, true), widthOf(words.cls, SMALL));
  const second = (words.costs[1] || "") + " · 99.9 %"; // what colours it is known when it is painted
  const told = Math.max(widthOf(words.costs[0] || "", SMALL), widthOf(second, SMALL));
  const inside = new Scope(node, view, HEADER + 8, PAD, told + 16).part();
  const left = Math.max(inside.left + PAD, named + 24), right = inside.right + PAD;
  const box = {
    node, kind: "group", words, x: -left, y: 0, width: left + right, height: inside.height,
    named, told, toldX: inside.near,
  };
  return {
    left, right, height: inside.height, inX: inside.inX, outX: inside.outX,
    boxes: [box], wires: [], tags: [], inside: [[inside, 0, 0]],
  };
}

/** The wires of a scope, with the ports of closed children taken together. */
function visibleEdges(scope, open) {
  const kids = scope.kids, seen = new Set(), edges = [];
  const isOpen = (i) => i >= 0 && i < kids.length && open.has(kids[i].id) && kids[i].kids.length > 0;
  for (const [a, ap, b, bp, shape] of scope.edges) {
    const edge = {
      a, ap: a === ENTRY || isOpen(a) ? ap : 0, b, bp: b === kids.length || isOpen(b) ? bp : 0, shape,
      way: "", touch: false, level: "",
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
class Scope {
  constructor(scope, view, head, tail, told) {
    this.scope = scope;
    this.view = view;
    this.kids = scope.kids;
    this.size = this.kids.length;
    this.edges = visibleEdges(scope, view.open);
    ({ rank: this.rank, before: this.before } = ranksOf(this.size, this.edges));
    this.rows = [];
    this.rank.forEach((r, i) => (this.rows[r] = this.rows[r] || []).push(i));
    this.trunk = trunkOf(this.kids, this.rank, this.before);
    this.open = this.kids.map((kid) => view.open.has(kid.id) && kid.kids.length > 0);
    this.parts = this.planKids();
    this.findMainPorts();
    this.column = this.findColumns();
    this.standing = new Set(this.kids.map((_, i) => this.rank[i] + "," + this.column[i]));
    this.findAxes(told);
    this.findWays();
    this.findTracks();
    this.findHeights(head, tail);
  }

  row(i) {
    return i === ENTRY ? -1 : i === this.size ? this.rows.length : this.rank[i];
  }

  /** Cards of one scope are of one width: a calm column. */
  planKids() {
    const widths = this.kids.map((kid, i) => (this.open[i] ? 0 : cardWidth(kid)));
    const widest = Math.max(0, ...widths.filter((_, i) => !this.kids[i].pill));
    return this.kids.map((kid, i) =>
      this.open[i] ? planGroup(kid, this.view) : planCard(kid, kid.pill ? widths[i] : widest));
  }

  /** Which port stands on the trunk: the one of the trunk's first (or last) child. */
  findMainPorts() {
    const pick = (edges, key) => edges.reduce((best, edge) => (best === null || key(edge) < key(best) ? edge : best), null);
    const onTrunk = (i) => (this.trunk.has(i) ? 0.5 : 0);
    const first = pick(this.edges.filter((edge) => edge.a === ENTRY), (edge) => this.row(edge.b) - onTrunk(edge.b));
    const last = pick(this.edges.filter((edge) => edge.b === this.size), (edge) => -this.row(edge.a) - onTrunk(edge.a));
    this.mainIn = first ? first.ap : 0;
    this.mainOut = last ? last.bp : 0;
  }

  sideIn(edge) {
    return edge.a === ENTRY && edge.ap !== this.mainIn;
  }

  sideOut(edge) {
    return edge.b === this.size && edge.bp !== this.mainOut;
  }

  /** The trunk is column 0; a branch keeps its column where that is free. */
  findColumns() {
    const { rank, rows, edges } = this;
    const column = this.kids.map((_, i) => (this.trunk.has(i) ? 0 : -1));
    const taken = rows.map((row) => new Set(row.some((i) => this.trunk.has(i)) ? [0] : []));
    for (const row of rows) {
      for (const i of row) {
        if (column[i] < 0) {
          const free = (c) => !taken[rank[i]].has(c);
          column[i] = this.before[i].map((a) => column[a]).find((c) => c > 0 && free(c)) ?? -1;
          for (let c = 1; column[i] < 0; c++) if (free(c)) column[i] = c;
          taken[rank[i]].add(column[i]);
        }
      }
      for (const i of row) { // a branch that ends early goes down in its own column
        const ends = edges.filter((edge) => edge.a === i && !this.sideOut(edge)).map((edge) => this.row(edge.b));
        if (column[i] > 0 && !edges.some((edge) => edge.a === i && this.row(edge.b) === rank[i] + 1)) {
          for (let r = rank[i] + 1; r < Math.max(0, ...ends); r++) taken[r].add(column[i]);
        }
      }
    }
    return column;
  }

  /** The x of every column, and of the right edge of them all. */
  findAxes(told) {
    const { parts, column } = this;
    this.tags = new Map(); // the shape of what leaves a child
    for (const edge of this.edges) {
      if (edge.a >= 0 && !this.tags.has(edge.a)) this.tags.set(edge.a, this.view.tree.shapes[edge.shape]);
    }
    this.axis = [];
    this.edge = 0;
    for (let c = 0; c <= Math.max(...column); c++) {
      const members = this.kids.map((_, i) => i).filter((i) => column[i] === c);
      const left = Math.max(0, ...members.map((i) => parts[i].left));
      this.axis[c] = c === 0 ? 0 : this.edge + (members.length ? COLUMN + left : 0);
      for (const i of members) {
        const tag = 8 + widthOf(this.tags.get(i) || "", SMALL);
        this.edge = Math.max(this.edge, this.axis[c] + parts[i].right, this.axis[c] + tag);
      }
      if (c === 0) this.near = Math.max(this.edge, told); // where a header's words at the right of the trunk end
    }
    this.edge = Math.max(this.edge, told);
    this.left = Math.max(...parts.map((part, i) => part.left - this.axis[column[i]]));
  }

  footX(i, port) {
    return i === ENTRY ? 0 : this.axis[this.column[i]] + (this.parts[i].outX[port] ?? 0);
  }

  headX(i, port) {
    return i === this.size ? 0 : this.axis[this.column[i]] + (this.parts[i].inX[port] ?? 0);
  }

  /** Whether the column below its source is free as far as its target. */
  drops(edge) {
    const { a, b, ap } = edge;
    if (a < 0 || this.column[a] <= 0 || this.sideOut(edge) || ap !== 0) return false;
    for (let r = this.rank[a] + 1; r < this.row(b); r++) if (this.standing.has(r + "," + this.column[a])) return false;
    return true;
  }

  /** How each edge goes: straight, bent in one gap, down its column, or in a lane; and the lines across each gap. */
  findWays() {
    const { edges, rank, column, rows, size } = this;
    const onward = new Set(edges.filter((edge) => this.row(edge.b) - this.row(edge.a) === 1).map((edge) => edge.a));
    const beside = this.kids.map((_, i) => !this.open[i] && column[i] === Math.max(...rows[rank[i]].map((j) => column[j])));
    this.lanes = new Map();
    this.levels = Array.from({ length: rows.length + 1 }, () => new Map());
    const fan = new Map(), merge = new Map(), more = (map, key) => map.set(key, (map.get(key) || 0) + 1);
    for (const edge of edges) {
      const far = this.row(edge.b) - this.row(edge.a) > 1 || this.sideIn(edge) || this.sideOut(edge);
      const apart = Math.abs(this.footX(edge.a, edge.ap) - this.headX(edge.b, edge.bp)) > 0.5;
      edge.way = far ? (this.drops(edge) ? "drop" : "lane") : apart ? "bend" : "straight";
      if (edge.way === "bend") {
        more(fan, edge.a + "." + edge.ap);
        more(merge, edge.b + "." + edge.bp);
      }
    }
    for (const edge of edges) {
      const { a, ap, b, bp } = edge, gap = this.row(b), order = a === ENTRY ? 0 : column[a];
      const out = `o${a}.${ap}`, into = `i${b}.${bp}`;
      if (edge.way === "drop") this.addLevel(edge, gap, out, 500 + order);
      else if (edge.way === "bend") {
        const bus = fan.get(a + "." + ap) === 1 && merge.get(b + "." + bp) > 1; // what meets there shares a line
        const leftward = this.headX(b, bp) < this.footX(a, ap);
        this.addLevel(edge, gap, bus ? "m" + into : out, bus ? 400 : leftward ? 100 + order : -order);
      } else if (edge.way === "lane") {
        const key = a + "." + ap, border = this.sideIn(edge);
        if (!this.lanes.has(key)) {
          const aside = a >= 0 && beside[a] && onward.has(a);
          const begin = border ? -1 : aside ? 2 * rank[a] + 1 : 2 * this.row(a) + 2;
          this.lanes.set(key, { begin, end: begin, aside, border, x: 0 });
          if (!aside && !border && !this.levels[this.row(a) + 1].has(out)) this.levels[this.row(a) + 1].set(out, -order);
        }
        const lane = this.lanes.get(key);
        edge.touch = b < size && beside[b];
        lane.end = Math.max(lane.end, this.sideOut(edge) ? 2 * rows.length + 1 : 2 * gap + (edge.touch ? 1 : 0));
        if (!edge.touch && !this.sideOut(edge)) this.addLevel(edge, gap, into, 1000);
      }
    }
  }

  addLevel(edge, gap, key, order) {
    edge.level = key;
    if (!this.levels[gap].has(key)) this.levels[gap].set(key, order);
  }

  lane(edge) {
    return this.lanes.get(edge.a + "." + edge.ap);
  }

  /** The x of the lanes: the shortest innermost; a track is used again where it is free. */
  findTracks() {
    this.tracks = [];
    for (const lane of [...this.lanes.values()].sort((one, other) => one.end - one.begin - (other.end - other.begin))) {
      const clear = (span) => span.end < lane.begin || lane.end < span.begin ||
        (span.end === lane.begin && lane.aside) || (lane.end === span.begin && span.aside);
      let k = this.tracks.findIndex((track) => track.every(clear));
      if (k < 0) k = this.tracks.push([]) - 1;
      this.tracks[k].push(lane);
      lane.x = this.edge + LANE * (k + 1);
    }
  }

  /**
   * The first row that must stand below each child: the next, but an open group in a branch that ends early
   * reaches down beside the rows below it, where nothing goes across.
   */
  reaches() {
    const touched = new Set();
    for (const edge of this.edges) {
      if (edge.way !== "lane") continue;
      if (this.lane(edge).aside) touched.add(this.rank[edge.a]);
      if (edge.touch) touched.add(this.row(edge.b));
    }
    return this.kids.map((_, i) => {
      let r = this.rank[i] + 1;
      const ends = this.edges.filter((edge) => edge.a === i);
      if (this.open[i] && this.column[i] > 0 && ends.length && ends.every((edge) => edge.way === "drop")) {
        const last = Math.min(...ends.map((edge) => this.row(edge.b)));
        while (r < last && !touched.has(r) && !this.levels[r].size) r++;
      }
      return r;
    });
  }

  /** Rows from the top; a gap grows with what crosses it. */
  findHeights(head, tail) {
    const bottom = this.rows.length, reach = this.reaches();
    this.tops = [];
    this.across = [];
    let y = 0;
    for (let gap = 0; gap <= bottom; gap++) {
      reach.forEach((r, i) => {
        if (r === gap) y = Math.max(y, this.tops[this.rank[i]] + this.parts[i].height);
      });
      const keys = [...this.levels[gap]].sort((one, other) => one[1] - other[1]).map(([key]) => key);
      const first = gap === 0 ? head : y + (gap === bottom ? ABOVE - 4 : BELOW);
      const last = first + LEVEL * (keys.length - 1);
      this.across.push(new Map(keys.map((key, k) => [key, first + LEVEL * k])));
      if (gap === bottom) y = (keys.length ? last : y) + tail;
      else {
        if (gap === 0) y = keys.length ? last + ABOVE : head;
        else y = Math.max(y + GAP, keys.length ? last + ABOVE : 0);
        this.tops[gap] = y;
      }
    }
    this.height = y;
  }

  /** The points of an edge, from its foot to its tip. */
  points(edge) {
    const { a, ap, b, bp } = edge, { rank, tops, parts, column, axis } = this;
    const [x1, y1] = a === ENTRY ? [0, 0] : [this.footX(a, ap), tops[rank[a]] + parts[a].height];
    const [x2, y2] = b === this.size ? [0, this.height] : [this.headX(b, bp), tops[rank[b]]];
    if (edge.way === "straight") return [[x1, y1], [x2, y2]];
    const level = edge.level ? this.across[this.row(b)].get(edge.level) : 0;
    if (edge.way !== "lane") return [[x1, y1], [x1, level], [x2, level], [x2, y2]];
    const lane = this.lane(edge), right = (i) => axis[column[i]] + parts[i].right, points = [];
    if (lane.border) points.push([lane.x, 0]);
    else if (lane.aside) {
      const from = tops[rank[a]] + parts[a].height * 0.72;
      points.push([right(a), from], [lane.x, from]);
    } else {
      const out = this.across[this.row(a) + 1].get(`o${a}.${ap}`);
      points.push([x1, y1], [x1, out], [lane.x, out]);
    }
    if (this.sideOut(edge)) points.push([lane.x, this.height]);
    else if (edge.touch) {
      const to = tops[rank[b]] + parts[b].height * 0.35;
      points.push([lane.x, to], [right(b), to]);
    } else points.push([lane.x, level], [x2, level], [x2, y2]);
    return points;
  }

  part() {
    const { kids, size, rank, tops, parts, scope } = this;
    const right = this.edge + (this.tracks.length ? LANE * this.tracks.length + 4 : 0);
    const part = {
      left: this.left, right, height: this.height, near: this.near, inX: [], outX: [], boxes: [], wires: [], tags: [],
      inside: parts.map((inner, i) => [inner, this.axis[this.column[i]], tops[rank[i]]]),
    };
    kids.forEach((_, i) => {
      const shown = rank[i] < this.rows.length - (scope.parent ? 1 : 0); // the last one's stands below its group
      if (!this.tags.has(i) || !shown) return;
      part.tags.push({ x: this.axis[this.column[i]] + 7, y: tops[rank[i]] + parts[i].height + 14, words: this.tags.get(i) });
    });
    for (const edge of this.edges) {
      const { a, ap, b, bp } = edge;
      if (a === ENTRY) part.inX[ap] = this.sideIn(edge) ? this.lane(edge).x : 0;
      if (b === size) part.outX[bp] = this.sideOut(edge) ? this.lane(edge).x : 0;
      part.wires.push({
        points: this.points(edge), lane: edge.way === "lane", arrow: b < size && !this.open[b], scope: scope.id,
        shape: this.view.tree.shapes[edge.shape],
        from: a === ENTRY ? scope.id : kids[a].id, port: ap, to: b === size ? scope.id : kids[b].id,
      });
    }
    return part;
  }
}
