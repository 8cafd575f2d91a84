import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import okhttp3.OkHttpClient;
import okhttp3.Request;

class Contacts {
    private static final String HAPIKEY = System.getenv("HAPIKEY");

    static String read(int limit) throws Exception {
        HttpRequest request = HttpRequest.newBuilder()
                .uri(URI.create("https://api.hubapi.com/crm/v3/objects/contacts?hapikey=" + HAPIKEY + "&limit=" + limit))
                .GET()
                .build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    static Request owners() {
        return new Request.Builder().url(String.format("https://api.hubapi.com/crm/v3/owners?hapikey=%s", HAPIKEY)).build();
    }
}
