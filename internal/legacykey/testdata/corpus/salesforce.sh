curl https://login.salesforce.com/services/oauth2/token -d grant_type=password -d username=ada@lovelace.example -d password=fake-password
curl https://login.salesforce.com/services/Soap/u/59.0 -H 'SOAPAction: login' -d @login.xml
curl https://login.salesforce.com/services/Soap/u/66.0 -H 'SOAPAction: login' -d @login.xml
