using HubSpot.NET.Core;

class Old
{
    // The library has no other way in: a person has to choose its successor.
    static HubSpotApi Api() => new HubSpotApi("00000000-fa4e-4000-8000-00000000000a");
}
