export { health } from '#wire/search';
export { ready } from '#wire/ready';
