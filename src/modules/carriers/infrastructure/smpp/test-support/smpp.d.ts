/** The part of the npm package `smpp` that the interoperability tests use; the package has no types of its own. */
declare module 'smpp' {
  import type { EventEmitter } from 'node:events';
  import type { Server as NetServer, Socket } from 'node:net';

  export type Fields = Readonly<Record<string, string | number | Buffer | undefined>>;

  export interface PDU {
    readonly command: string;
    readonly command_status: number;
    readonly sequence_number: number;
    readonly system_id: string;
    readonly password: string;
    readonly message_id: string;
    readonly source_addr: string;
    readonly destination_addr: string;
    readonly esm_class: number;
    readonly data_coding: number;
    readonly registered_delivery: number;
    readonly short_message: { readonly message: string | Buffer; readonly udh?: readonly Buffer[] };
    readonly message_payload?: { readonly message: string | Buffer };
    readonly receipted_message_id?: string;
    readonly message_state?: number;
    readonly sar_msg_ref_num?: number;
    readonly sar_total_segments?: number;
    readonly sar_segment_seqnum?: number;
    response(fields?: Fields): PDU;
  }

  type OnResponse = (pdu: PDU) => void;

  export interface Session extends EventEmitter {
    readonly socket: Socket;
    send(pdu: PDU): boolean;
    bind_transceiver(fields: Fields, onResponse: OnResponse): boolean;
    bind_transmitter(fields: Fields, onResponse: OnResponse): boolean;
    bind_receiver(fields: Fields, onResponse: OnResponse): boolean;
    submit_sm(fields: Fields, onResponse: OnResponse): boolean;
    deliver_sm(fields: Fields, onResponse: OnResponse): boolean;
    enquire_link(onResponse: OnResponse): boolean;
    query_sm(fields: Fields, onResponse: OnResponse): boolean;
    unbind(onResponse: OnResponse): boolean;
    close(): void;
    destroy(): void;
  }

  const smpp: {
    connect(options: { host: string; port: number }, onConnect: () => void): Session;
    createServer(onSession: (session: Session) => void): NetServer;
  };
  export default smpp;
}
