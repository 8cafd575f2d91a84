import com.sforce.soap.partner.PartnerConnection;
import com.sforce.ws.ConnectorConfig;

class Old {
    PartnerConnection open() throws Exception {
        ConnectorConfig config = new ConnectorConfig();
        config.setAuthEndpoint("https://login.salesforce.com/services/Soap/u/52.0");
        return new PartnerConnection(config);
    }
}
