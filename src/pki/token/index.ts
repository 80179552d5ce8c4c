export { enrolStatement, newToken, parseToken, renewStatement, type Token } from './token.ts';
