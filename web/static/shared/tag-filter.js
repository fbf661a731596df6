// Filters by tags, as the box has them.

/** What the box has to hold for pictures with a tag. */
export const tagFilter = (name) => (/^[^\s"()]+$/.test(name) ? `tag:${name}` : `tag:"${name.replaceAll('"', "")}"`);
