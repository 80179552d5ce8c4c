export { startAlerts, type Alerts, type AlertsOptions } from './alerts.ts';
export { AlertError, type AlertErrorCode } from './errors.ts';
export type { Voice } from './publish.ts';
export { alertRoutes } from './routes.ts';
