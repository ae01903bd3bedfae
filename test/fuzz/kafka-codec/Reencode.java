import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * Reads messages with Kafka's own classes and writes them again. One message per input line, `key role version hex`;
 * one answer per line: `headerVersion hex json`, `dropped` for a version that this Kafka no longer has, or `error` and why.
 */
class Reencode {
    public static void main(String[] arguments) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        StringBuilder output = new StringBuilder();
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] parts = line.split(" ", -1);
            try {
                output.append(reencode(Short.parseShort(parts[0]), parts[1], Short.parseShort(parts[2]), parts[3]));
            } catch (Exception error) {
                output.append("error ").append(error);
            }
            output.append('\n');
        }
        System.out.print(output);
    }

    static String reencode(short key, String role, short version, String hex) throws Exception {
        ApiMessageType type = ApiMessageType.fromApiKey(key);
        if (version < type.lowestSupportedVersion()) return "dropped";
        boolean isRequest = role.equals("request");
        ApiMessage message = isRequest ? type.newRequest() : type.newResponse();
        ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(hex));
        message.read(new ByteBufferAccessor(bytes), version);
        if (bytes.hasRemaining()) throw new IllegalStateException(bytes.remaining() + " bytes left over");
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer written = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(written), cache, version);
        short header = isRequest ? type.requestHeaderVersion(version) : type.responseHeaderVersion(version);
        Object json = Class.forName(message.getClass().getName() + "JsonConverter")
            .getMethod("write", message.getClass(), short.class)
            .invoke(null, message, version);
        return header + " " + HexFormat.of().formatHex(written.array()) + " " + json;
    }
}
