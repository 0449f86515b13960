// Between the console and the lazily loaded editor chunk.

/** The chunk's address, as the start page names it. */
function editorUrl() {
  return document.querySelector('meta[name="warren-editor"]').content;
}

export class CodeEditor {
  constructor(handle) {
    this.handle = handle;
  }
  set_text(text) {
    this.handle.setText(text);
  }
  set_findings(json) {
    this.handle.setFindings(JSON.parse(json));
  }
  set_tests(json) {
    this.handle.setTests(JSON.parse(json));
  }
  set_read_only(on) {
    this.handle.setReadOnly(on);
  }
  reveal(place) {
    this.handle.reveal(place);
  }
  destroy() {
    this.handle.destroy();
  }
}

export async function mount_editor(parent, text, label, readOnly, [changed, save, offers, hover]) {
  const editor = await import(editorUrl());
  const ask = {
    offers: (place) => JSON.parse(offers(place)),
    hover: (place) => JSON.parse(hover(place)),
  };
  return new CodeEditor(editor.mount(parent, { text, label, readOnly, changed, save, ...ask }));
}
