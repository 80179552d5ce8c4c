/**
 * The IPv4 addresses in a message, for the index of them, each as it is written. What letters or further numbers stick to
 * (`v10.0.0.5`, `10.0.0.5.1`) is taken together with them, and so is no address. A point before it, or behind it at the end
 * of a sentence, is not part of it.
 */
export const addressTokensSql = `extractAll(message, '[0-9A-Za-z]*[0-9](?:[.][0-9]+){2,}[.][0-9][0-9A-Za-z]*')`;
