import type { Input } from '@perdure/contract';

/** Inputs that may be sent again under their id. The others are told by the state that awaits them (design §16). */
export const isRemembered = (input: Input): boolean => {
  switch (input.kind) {
    case 'start':
    case 'signal':
    case 'update':
    case 'cancel':
    case 'terminate':
    case 'suspend':
    case 'resume':
      return true;
    default:
      return false;
  }
};
