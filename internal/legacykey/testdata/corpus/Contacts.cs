using System;
using System.Net.Http;
using System.Threading.Tasks;

class Contacts
{
    private static readonly HttpClient client = new HttpClient();
    private const string HapiKey = "00000000-fa4e-4000-8000-000000000009";

    static async Task<string> Read(int limit)
    {
        // one page
        var answer = await client.GetAsync($"https://api.hubapi.com/crm/v3/objects/contacts?hapikey={HapiKey}&limit={limit}");
        return await answer.Content.ReadAsStringAsync();
    }

    static async Task<string> Owners()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "https://api.hubapi.com/crm/v3/owners?hapikey=" + HapiKey);
        var answer = await client.SendAsync(request);
        return await answer.Content.ReadAsStringAsync();
    }
}
