/** JSON that is read as a whole: what it stands for takes up to twenty times the memory. */
export const mostJson = 32 * 1024 * 1024;
