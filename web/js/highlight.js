// What the parts of a policy are, for the colours of the editor.
import { styleTags, tags } from "@lezer/highlight";

export const highlighting = styleTags({
  PropertyName: tags.propertyName,
  String: tags.string,
  Number: tags.number,
  "True False": tags.bool,
  Null: tags.null,
  LineComment: tags.lineComment,
  BlockComment: tags.blockComment,
  "{ }": tags.brace,
  "[ ]": tags.squareBracket,
  ", :": tags.separator,
});
