export { startIssuer, type IssuerOptions, type RunningIssuer } from './issuer.ts';
