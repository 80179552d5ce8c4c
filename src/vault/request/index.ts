export { isEntryText } from '#vault/tree';
export { RequestError, type RequestErrorCode } from './errors.ts';
export { openInbox, type RequestInbox, type TakenRequest } from './inbox.ts';
export { isRequestId, parseRequest, type KeeperAnswer, type KeeperRequest } from './request.ts';
export { sendRequest, type SendOptions } from './send.ts';
