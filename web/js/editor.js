// The policy editor: CodeMirror with our grammar, in a chunk of its own that is
// loaded when a page needs it.
//
// It lives in a shadow root: there CodeMirror adds its styles through
// `adoptedStyleSheets`, which the content security policy allows. Colours come
// from custom properties, which cross into the shadow root.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import {
  HighlightStyle,
  LRLanguage,
  LanguageSupport,
  bracketMatching,
  continuedIndent,
  foldGutter,
  foldInside,
  foldKeymap,
  foldNodeProp,
  indentNodeProp,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
  syntaxTree,
} from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Annotation, Compartment, EditorSelection, EditorState, RangeSet, StateEffect, StateField } from "@codemirror/state";
import {
  EditorView,
  GutterMarker,
  drawSelection,
  gutter,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  hoverTooltip,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";

import { parser } from "./hujson.js";

const language = LRLanguage.define({
  name: "hujson",
  parser: parser.configure({
    props: [
      indentNodeProp.add({
        Object: continuedIndent({ except: /^\s*\}/ }),
        Array: continuedIndent({ except: /^\s*\]/ }),
      }),
      foldNodeProp.add({ "Object Array": foldInside }),
    ],
  }),
  languageData: {
    closeBrackets: { brackets: ["[", "{", '"'] },
    commentTokens: { line: "//", block: { open: "/*", close: "*/" } },
    indentOnInput: /^\s*[}\]]$/,
  },
});

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--code-property)" },
  { tag: tags.string, color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-literal)" },
  { tag: [tags.lineComment, tags.blockComment], color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.brace, tags.squareBracket, tags.separator], color: "var(--code-punctuation)" },
]);

const theme = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", color: "var(--color-ink)", backgroundColor: "var(--color-surface)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.6", overflow: "auto" },
  ".cm-content": { caretColor: "var(--color-ink)", padding: "10px 0" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--color-ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--code-selection)",
  },
  ".cm-gutters": {
    backgroundColor: "var(--color-surface)",
    color: "var(--color-muted)",
    border: "none",
    borderRight: "1px solid var(--color-line)",
  },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "34px" },
  ".cm-activeLine": { backgroundColor: "var(--code-active)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--code-active)", color: "var(--color-ink)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": {
    backgroundColor: "var(--code-match)",
    outline: "1px solid var(--color-line-strong)",
  },
  ".cm-selectionMatch": { backgroundColor: "var(--code-match)" },
  ".cm-foldPlaceholder": {
    backgroundColor: "var(--color-sunken)",
    border: "1px solid var(--color-line)",
    color: "var(--color-muted)",
    padding: "0 6px",
  },
  ".cm-lintRange-error": { backgroundImage: "none", borderBottom: "2px solid var(--color-danger)" },
  ".cm-lintRange-warning": { backgroundImage: "none", borderBottom: "2px solid var(--color-caution)" },
  ".cm-lintPoint:after": { borderBottomColor: "var(--color-danger)" },
  ".cm-lint-marker": { width: "0.7em", height: "0.7em", content: "none", borderRadius: "50%", marginTop: "0.45em" },
  ".cm-lint-marker-error": { backgroundColor: "var(--color-danger)", content: '""' },
  ".cm-lint-marker-warning": { backgroundColor: "var(--color-caution)", content: '""', borderRadius: "2px" },
  ".cm-tooltip": {
    backgroundColor: "var(--color-raised)",
    color: "var(--color-ink)",
    border: "1px solid var(--color-line-strong)",
    borderRadius: "8px",
    boxShadow: "0 8px 24px rgb(0 0 0 / 0.18)",
    overflow: "hidden",
  },
  ".cm-diagnostic": { padding: "6px 10px", maxWidth: "44ch", whiteSpace: "pre-wrap" },
  ".cm-diagnostic-error": { borderLeft: "4px solid var(--color-danger)" },
  ".cm-diagnostic-warning": { borderLeft: "4px solid var(--color-caution)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--font-mono)", maxHeight: "16em" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--color-accent)",
    color: "var(--color-on-accent)",
  },
  ".cm-completionDetail": { marginLeft: "1.5em", fontStyle: "normal", opacity: "0.8" },
  ".cm-tooltip code": {
    backgroundColor: "var(--color-sunken)",
    borderRadius: "4px",
    fontFamily: "var(--font-mono)",
    fontSize: "0.92em",
    padding: "0 4px",
  },
  ".cm-explained": { padding: "6px 10px", maxWidth: "min(56ch, 80vw)", whiteSpace: "pre-wrap", overflowWrap: "anywhere" },
  ".cm-tests .cm-gutterElement": { width: "14px", textAlign: "center", cursor: "default" },
  ".cm-test-holds": { color: "var(--color-positive)" },
  ".cm-test-fails": { color: "var(--color-danger)", fontWeight: "bold" },
  ".cm-panels": { backgroundColor: "var(--color-sunken)", color: "var(--color-ink)" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--color-line)" },
  ".cm-panel.cm-search": {
    display: "flex",
    flexWrap: "wrap",
    alignItems: "center",
    gap: "6px",
    padding: "8px 44px 8px 12px",
    fontFamily: "var(--font-sans)",
    fontSize: "13px",
  },
  ".cm-panel.cm-search br": { flexBasis: "100%", height: "0", content: '""' },
  ".cm-panel.cm-search label": { display: "inline-flex", alignItems: "center", gap: "4px", fontSize: "13px", margin: "0" },
  ".cm-panel.cm-search input[type=checkbox]": { accentColor: "var(--color-accent)", width: "16px", height: "16px", margin: "0" },
  ".cm-panel.cm-search [name=close]": {
    top: "8px",
    right: "10px",
    width: "28px",
    height: "28px",
    borderRadius: "6px",
    color: "var(--color-muted)",
    fontSize: "18px",
    cursor: "pointer",
  },
  ".cm-panel.cm-search [name=close]:hover": { backgroundColor: "var(--color-line)", color: "var(--color-ink)" },
  ".cm-textfield": {
    backgroundColor: "var(--color-surface)",
    border: "1px solid var(--color-line-strong)",
    borderRadius: "6px",
    color: "var(--color-ink)",
    fontFamily: "var(--font-mono)",
    fontSize: "13px",
    margin: "0",
    minHeight: "30px",
    padding: "3px 8px",
    width: "min(18rem, 100%)",
  },
  ".cm-button": {
    backgroundImage: "none",
    backgroundColor: "var(--color-raised)",
    border: "1px solid var(--color-line-strong)",
    borderRadius: "6px",
    color: "var(--color-ink)",
    cursor: "pointer",
    fontFamily: "var(--font-sans)",
    fontSize: "13px",
    margin: "0",
    minHeight: "30px",
    padding: "3px 10px",
  },
  ".cm-button:hover": { backgroundColor: "var(--color-surface)" },
  ".cm-textfield:focus-visible, .cm-button:focus-visible, .cm-panels button:focus-visible, .cm-panels input:focus-visible": {
    outline: "2px solid var(--color-accent)",
    outlineOffset: "1px",
  },
});

// Chromium replaces a selection by elements with a `style` attribute, which the
// content security policy refuses: typing over a selection is done here instead.
const typeOverSelection = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to, empty } = view.state.selection.main;
    if (event.inputType !== "insertText" || !event.data || empty || view.composing) return false;
    event.preventDefault();
    const change = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    const taken = view.state.facet(EditorView.inputHandler).some((handler) => handler(view, from, to, event.data, change));
    if (!taken) view.dispatch(change());
    return true;
  },
});

// A change that the page made itself is not told back to it.
const fromPage = Annotation.define();

/** True inside of a string or a key, where what is typed may be a name. */
function isInName(state, pos) {
  const node = syntaxTree(state).resolveInner(pos, -1);
  if (node.name !== "String" && node.name !== "PropertyName") return false;
  const closed = node.to - node.from > 1 && state.sliceDoc(node.to - 1, node.to) === '"';
  return pos > node.from && (pos < node.to || !closed);
}

/** What can be written at the caret; `offers` knows the language. */
function completions(offers) {
  return (context) => {
    if (!context.explicit && !isInName(context.state, context.pos)) return null;
    const { from, to, options } = offers(context.pos);
    return options.length === 0 ? null : { from, to, options, filter: false };
  };
}

/** A text; what stands between backticks is set as code. */
function prose(text) {
  const dom = document.createElement("span");
  text.split("`").forEach((part, at) => {
    if (at % 2 === 0) {
      dom.append(part);
      return;
    }
    const code = document.createElement("code");
    code.textContent = part || '""';
    dom.append(code);
  });
  return dom;
}

/** What the word under the pointer stands for. */
function explained(hover) {
  return hoverTooltip((_view, pos) => {
    const found = hover(pos);
    if (!found) return null;
    const create = () => {
      const dom = document.createElement("div");
      dom.className = "cm-explained";
      dom.append(prose(found.text));
      return { dom };
    };
    return { pos: found.from, end: found.to, above: true, create };
  });
}

class TestMark extends GutterMarker {
  constructor(holds) {
    super();
    this.holds = holds;
  }
  eq(other) {
    return this.holds === other.holds;
  }
  toDOM() {
    const mark = document.createElement("span");
    mark.className = this.holds ? "cm-test-holds" : "cm-test-fails";
    mark.title = this.holds ? "This test holds." : "This test fails.";
    mark.textContent = this.holds ? "✓" : "✗";
    return mark;
  }
}
const marks = [true, false].map((holds) => new TestMark(holds));

const setTests = StateEffect.define();

/** Beside each line with tests: whether all of them hold. */
const tests = StateField.define({
  create: () => RangeSet.empty,
  update(set, transaction) {
    let next = set.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(setTests)) continue;
      const lines = new Map();
      for (const { at, holds } of effect.value) {
        const line = transaction.state.doc.lineAt(Math.min(at, transaction.state.doc.length));
        lines.set(line.from, (lines.get(line.from) ?? true) && holds);
      }
      const found = [...lines].map(([from, holds]) => marks[holds ? 0 : 1].range(from));
      next = RangeSet.of(found, true);
    }
    return next;
  },
});
const testGutter = [tests, gutter({ class: "cm-tests", markers: (view) => view.state.field(tests) })];

/** A handle on one mounted editor; `changed` gets the whole text after each edit. */
export function mount(parent, { text, label, readOnly, changed, save, offers, hover }) {
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: "open" });
  const locked = new Compartment();
  const lock = (on) => [EditorState.readOnly.of(on), EditorView.editable.of(true)];
  const view = new EditorView({
    parent: root,
    root,
    doc: text,
    extensions: [
      lineNumbers(),
      lintGutter(),
      foldGutter(),
      testGutter,
      highlightSpecialChars(),
      history(),
      drawSelection(),
      EditorState.allowMultipleSelections.of(true),
      EditorState.tabSize.of(4),
      indentUnit.of("\t"),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      autocompletion({ icons: false, override: [completions(offers)] }),
      explained(hover),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      highlightSelectionMatches(),
      typeOverSelection,
      search({ top: true }),
      new LanguageSupport(language),
      syntaxHighlighting(colours),
      theme,
      keymap.of([
        { key: "Mod-s", run: () => (save(), true), preventDefault: true },
        ...closeBracketsKeymap,
        ...defaultKeymap,
        ...searchKeymap,
        ...historyKeymap,
        ...foldKeymap,
        ...completionKeymap,
        ...lintKeymap,
        indentWithTab,
      ]),
      EditorView.contentAttributes.of({
        "aria-label": label,
        "aria-description": "Tab indents; Escape, then Tab leaves the editor.",
        tabindex: "0",
      }),
      EditorView.updateListener.of((update) => {
        const ours = update.transactions.every((t) => t.annotation(fromPage));
        if (update.docChanged && !ours) changed(update.state.doc.toString());
      }),
      locked.of(lock(readOnly)),
    ],
  });
  const within = (place) => Math.max(0, Math.min(place, view.state.doc.length));
  return {
    setText(next) {
      if (next === view.state.doc.toString()) return;
      const caret = Math.min(view.state.selection.main.head, next.length);
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: next },
        selection: EditorSelection.cursor(caret),
        annotations: fromPage.of(true),
      });
    },
    setFindings(findings) {
      const marks = findings.map((f) => ({
        from: within(f.from),
        to: within(f.to),
        severity: f.severity,
        message: f.message,
        renderMessage: () => prose(f.message),
      }));
      view.dispatch(setDiagnostics(view.state, marks));
    },
    setTests(next) {
      if (next) view.dispatch({ effects: setTests.of(next) });
    },
    setReadOnly(on) {
      view.dispatch({ effects: locked.reconfigure(lock(on)) });
    },
    reveal(place) {
      const at = within(place);
      view.dispatch({ selection: EditorSelection.cursor(at), effects: EditorView.scrollIntoView(at, { y: "center" }) });
      view.focus();
    },
    destroy() {
      view.destroy();
    },
  };
}
