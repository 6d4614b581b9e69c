// What stands in the outputs of a notebook on a page: their structure, their places, and how their colours contrast.
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const textOf = (node) => node.textContent.trim();
  const isShown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });

  function paint(colour, opacity) {
    canvas.globalAlpha = opacity;
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
  }

  function luminance() {
    const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => {
      const part = byte / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  // The ratio that WCAG defines, of a colour against all backgrounds that lie below it.
  function contrast(element, property) {
    const styles = [];
    for (let each = element; each; each = each.parentElement) styles.unshift(getComputedStyle(each));
    for (const style of styles) paint(style.backgroundColor, 1);
    const below = luminance();
    paint(styles.at(-1)[property], styles.reduce((product, style) => product * style.opacity, 1));
    const [dark, light] = [below, luminance()].sort((first, second) => first - second);
    return (light + 0.05) / (dark + 0.05);
  }

  function box(element) {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    const name = `${element.localName} ${textOf(element).slice(0, 40)}`;
    return { name, left, top, right, bottom, shown: isShown(element) };
  }

  const cell = (element) => textOf(element) + (element.title && ` (${element.title})`);

  function* outline(element) {
    if (element.localName === "tr") {
      yield `${element.firstChild.localName}: ${[...element.children].map(cell).join(" | ")}`;
    } else if (element.localName === "svg") {
      yield `svg: ${element.getAttribute("aria-label")}`;
      yield* [...element.querySelectorAll("text")].map((each) => `text: ${textOf(each)}`);
    } else {
      const words = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map(textOf);
      if (words.join("")) yield `${element.localName}: ${words.join(" / ")}`;
      for (const child of element.children) yield* outline(child);
    }
  }

  function readability(output) {
    const found = [];
    for (const element of [...output.querySelectorAll("*")].filter(isShown)) {
      const name = `${element.localName} ${textOf(element)}`;
      const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && textOf(node));
      const { stroke } = getComputedStyle(element);
      if (hasText) found.push([name, "text", contrast(element, element.closest("svg") ? "fill" : "color")]);
      if (element.closest("svg") && stroke !== "none") found.push([name, "stroke", contrast(element, "stroke")]);
    }
    return found;
  }

  const outputs = [...document.querySelectorAll(".jp-Notebook .jp-OutputArea-output")];
  return outputs.map((output) => ({
    area: box(output),
    outline: [...outline(output)],
    blocks: [...output.querySelectorAll("table, svg")].map(box),
    texts: [...output.querySelectorAll("svg text")].map(box),
    readability: readability(output),
    unfolded: [...output.querySelectorAll("details tbody td:first-child")].filter(isShown).map(textOf),
  }));
};
