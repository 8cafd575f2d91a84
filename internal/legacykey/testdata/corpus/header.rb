require 'net/http'
req = Net::HTTP::Get.new(URI('https://api.hubapi.com/crm/v3/owners'))
req['hapikey'] = ENV['HAPIKEY']
