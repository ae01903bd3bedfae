/** A publish whose content is complete; its properties are in the parsed header beside it. One object serves any number. */
export class PublishRequest {
  exchange = '';
  routingKey = '';
  mandatory = false;
  body: Buffer = Buffer.alloc(0);
  bodyStart = 0;
  bodyEnd = 0;
}
