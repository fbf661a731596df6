// Texts on their way to `web/text/en`.

export const messages = {
  previewFailed: "The preview of this picture cannot be shown. Was the file moved or removed?",
};
