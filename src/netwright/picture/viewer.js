// The page around the picture: drawing, opening and closing, colouring, search.
//
// Names come from whoever wrote the network: they reach the page only as text.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const HEATS = [["M", "MACs"], ["P", "Parameters"], ["A", "Activations"], ["L", "Latency"]];
const TOLD = { P: (value) => rounded(value, 0), M: (value) => rounded(value, 0), A: bytes, L: milliseconds };

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
    this.heats = HEATS.filter(([key]) => key !== "L" || data.totals.L); // latency where it is known
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
    this.heatButtons = this.heats.map(([key, words]) => {
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
    this.picture = layout(this.tree, this.open);
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
    const right = box.axis + box.toldX;
    made.append(shapeOf("text", { x: right, y: y + 19, class: "small end" }, words.costs[0] || ""));
    made.append(shapeOf("text", { x: right, y: y + 34, class: "small end", "data-cost": words.costs[1] || "" }));
    return made;
  }

  card(box) {
    const { x, y, width, height, node, words } = box, made = this.group(box, words);
    if (box.kind === "pill") {
      made.append(shapeOf("rect", { x, y, width, height, rx: height / 2, class: "body" }));
      made.append(shapeOf("text", { x: x + width / 2, y: y + 17.5, class: "name middle" }, node.pill));
      return made;
    }
    if (node.repeat > 1 || node.alike) made.append(shapeOf("rect", { x: x + 4, y: y + 4, width, height, rx: 8, class: "behind" }));
    made.append(shapeOf("rect", { x, y, width, height, rx: 8, class: "body" }));
    made.append(shapeOf("rect", { x, y, width, height, rx: 8, class: "heat" }));
    made.append(shapeOf("rect", { x: x + 6, y: y + 7, width: 3, height: height - 14, rx: 1.5, class: "stripe " + node.tone }));
    const mark = node.kids.length ? "▸ " : "";
    made.append(shapeOf("text", { x: x + 16, y: y + 18.5, class: "name" }, mark + words.name));
    made.append(shapeOf("text", { x: x + width - 10, y: y + 18.5, class: "small end" }, words.cls));
    if (height > 30) {
      made.append(shapeOf("text", { x: x + 16, y: y + 35.5, class: "small" }, words.costs.join(" · ")));
      made.append(shapeOf("text", { x: x + width - 10, y: y + 35.5, class: "share end", "data-cost": "" }));
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
      const told = made.querySelector("[data-cost]");
      if (told) told.textContent = [told.dataset.cost, part > 0 ? share(part, 1) : ""].filter(Boolean).join(" · ");
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
    this.paint();
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
    for (const name of ["paddingLeft", "paddingTop", "minWidth", "minHeight"]) canvas.style[name] = "";
    if (!at || !after) {
      this.centre();
      return;
    }
    // Where the page cannot be scrolled so far, an empty margin makes room.
    const left = after[0] - at[0], top = after[1] - at[1];
    if (left < 0) canvas.style.paddingLeft = -left + "px";
    if (top < 0) canvas.style.paddingTop = -top + "px";
    if (left > 0) canvas.style.minWidth = left + stage.clientWidth + "px";
    if (top > 0) canvas.style.minHeight = top + stage.clientHeight + "px";
    stage.scrollLeft = Math.max(0, left);
    stage.scrollTop = Math.max(0, top);
  }

  /** The picture in the middle, or where it is too wide the trunk. */
  centre() {
    const { stage, canvas } = this, spare = stage.clientWidth - this.picture.width * this.zoom;
    canvas.style.cssText = `padding-left: ${Math.max(0, spare / 2)}px`;
    stage.scrollLeft = spare < 0 ? Math.max(0, this.picture.axis * this.zoom - stage.clientWidth / 2) : 0;
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
    const hits = document.elementsFromPoint(event.clientX, event.clientY); // a wire lies over what it crosses
    const hit = hits.find((made) => made.closest("[data-id]"));
    if (!hit) return;
    const node = this.tree.nodes[Number(hit.closest("[data-id]").dataset.id)];
    this.select(node);
    if (!hit.classList.contains("frame")) this.toggle(node);
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
    say("Similar ones, only their sizes differ", node.alike ? String(node.alike) : "");
    say(node.inputs.length > 1 ? "Inputs" : "Input", node.end ? "" : node.inputs.slice(0, 8).join("\n"));
    say(node.outputs.length > 1 ? "Outputs" : "Output", node.outputs.slice(0, 8).join("\n"));
    const holds = (name) => name.slice(0, name.lastIndexOf(".")) === node.path;
    const tied = this.data.tied.filter((names) => names.some(holds)).flatMap((names) => names.filter((name) => !holds(name)));
    say("Weights shared with", tied.join("\n"));
    const several = node.copies > 1;
    for (const [key, name] of [["P", "Parameters"], ["M", "MACs"], ["A", "Activations"], ["L", "Latency"]]) {
      if (node.end || !this.data.totals[key]) continue;
      const part = node.total[key] ? ` (${share(node.total[key], this.data.totals[key])})` : "";
      say(name, TOLD[key](node.total[key]) + part + (several ? `\n${TOLD[key](node.each[key])} each, ×${node.copies}` : ""));
    }
    this.details.replaceChildren(element("h2", {}, node.name), list);
  }
}

const viewer = new Viewer(document.getElementById("viewer"), JSON.parse(document.getElementById("network").textContent));
